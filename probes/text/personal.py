"""Personal data as a reader may be spared them: the letters and digits after the first become a mask.

Seen are what has a form of its own: e-mail addresses, telephone numbers, card numbers (Luhn), IBANs (ISO 13616), US
social security numbers, internet addresses of machines, and handles. Names and street addresses have no form and are
never seen: this spares readers, it does not make a text anonymous.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from probes.text.masking import MASK

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_HANDLE = re.compile(r"(?<![\w@/.])@\w{2,}")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}(?!\w)")
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_HEX = "[0-9a-fA-F]{0,4}"
_MACHINE = re.compile(rf"(?<![\w.:])(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|{_HEX}(?::{_HEX}){{2,7}})(?![\w:]|\.\d)")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|00|\()?\d(?:[ ()./-]{0,2}\d){6,14}(?![\w/-]|[.,]\d)")
_DATE = re.compile(r"\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")


def mask_personal(text: str) -> str:
    """The text with personal data of a known form masked; same length, and masking twice changes nothing more."""
    characters: list[str] | None = None
    for start, end in _found(text):
        characters = characters or list(text)
        places = [place for place in range(start, end) if characters[place].isalnum()]
        for place in places[1:]:
            characters[place] = MASK
    return text if characters is None else "".join(characters)


def _found(text: str) -> Iterator[tuple[int, int]]:
    for pattern, fits in _KINDS:
        for match in pattern.finditer(text):
            if fits(match.group()):
                yield match.span()


def _any(_: str) -> bool:
    return True


def _is_card(number: str) -> bool:
    """The check digit of ISO/IEC 7812-1 (Luhn)."""
    digits = [int(digit) for digit in number if digit.isdigit()][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """The check digits of ISO 13616 (ISO/IEC 7064, modulo 97)."""
    plain = text.replace(" ", "")
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def _is_machine(text: str) -> bool:
    if ":" in text and len(text.replace(":", "")) < 4:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    """Enough digits, and neither a date nor a plain number; a number without signs needs its + or 0 in front."""
    digits = sum(each.isdigit() for each in text)
    separated = len(re.findall(r"[ ()./-]+", text)) > 0
    return 7 <= digits <= 15 and not _DATE.fullmatch(text) and (separated or text[0] in "+0")


_KINDS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_EMAIL, _any),
    (_HANDLE, _any),
    (_IBAN, _is_iban),
    (_CARD, _is_card),
    (_SSN, _any),
    (_MACHINE, _is_machine),
    (_PHONE, _is_phone),
)
