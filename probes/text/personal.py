"""Personal data as a reader may be spared them: the letters and digits after the first become a mask.

Seen are what has a form of its own: e-mail addresses, handles, telephone numbers, card numbers (Luhn), IBANs (ISO
13616), national numbers of the United States (SSN), the United Kingdom (NINO) and Spain (DNI, NIE), internet addresses
of machines, and what opens a door in a web address (user and password, tokens, keys). Names and street addresses have
no form and are never seen: this spares readers, it does not make a text anonymous.

Same length, so that places in a text stay places in it.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterator

from probes.text.masking import MASK

CHANGED = "\u2218"
"""Stands for a masked character that differs from the one it is compared with, so that the change can still be seen."""

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_HANDLE = re.compile(r"(?<![\w@/.])@\w{2,}")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}(?!\w)")
_CARD = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_NINO = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)")
_DNI = re.compile(r"(?<!\w)(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z](?!\w)")
_HEX = "[0-9a-fA-F]{0,4}"
_MACHINE = re.compile(rf"(?<![\w.:])(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|{_HEX}(?::{_HEX}){{2,7}})(?![\w:]|\.\d)")
_USER = re.compile(r"(?<=://)[^\s/?#@]{1,200}(?=@)")
_KEYS = r"(?:[\w-]{0,40}(?:token|key|secret|passw(?:or)?d|signature)|sig|auth|session|sid|jwt|code|otp|pin)"
_SECRET = re.compile(rf"(?<=[?&#;])(?i:{_KEYS})=([^\s&#;\"'<>]+)")
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|00|\()?\d(?:[ ()./-]{0,2}\d){6,14}(?![\w/-]|[.,]\d)")
_DATE = re.compile(r"(?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})(?= |$)")
_NO_PHONE = re.compile(r"\d+[./]\d+|\d{4}-\d{4}|[1-9]\d?(?: \d{3})+")
"""A decimal or a fraction, two years, and a number in groups of three."""
_SIGN = re.compile(r"@|[?&#;][\w-]+=|(?:\d[^\d]{0,2}){6}|\d\.\d+\.\d+\.\d|:[0-9a-fA-F]{0,4}:")
"""What all of these have some of: most texts have none of it, and are done with at once."""
_HINT = re.compile(r"[@?&#;:\d]")
"""What each of these signs has: looked for first, because one character is found much faster than either of five."""
_MOST_COMPARED = 2_000
"""Characters of either text that are compared in a pair; what lies beyond is masked by itself alone."""


def mask_personal(text: str, *, loose: bool = True) -> str:
    """The text with personal data of a known form masked; same length, and masking twice changes nothing more.

    Args:
        loose: also what is known by nothing but its digits and gaps, as telephone numbers are. Not for sentences of our
            own, in which numbers are results.
    """
    places = _places(text, loose=loose)
    return _with(text, places, MASK) if places else text


def mask_pair(before: str, after: str) -> tuple[str, str]:
    """Two versions of a text, each masked, and in each what the other would give away.

    A changed character may take a text out of the form by which it is known ("jane@x,org"): what stands in place of a
    masked character is masked as well. What differs there is shown as `CHANGED` in the second, so that it can be seen.
    """
    hidden_before, hidden_after = _places(before), _places(after)
    if not hidden_before and not hidden_after:
        return before, after
    changed: set[int] = set()
    for same, (i, j), (k, m) in _stretches(before, after):
        old, new = range(i, j), range(k, m)
        if same:
            hidden_before |= {place - k + i for place in new if place in hidden_after}
            hidden_after |= {place - i + k for place in old if place in hidden_before}
        elif _within(old, hidden_before) or _within(new, hidden_after):
            hidden_before.update(old)
            changed.update(new)
    shown = _with(_with(after, hidden_after - changed, MASK), changed, CHANGED)
    return _with(before, hidden_before, MASK), shown


def _with(text: str, places: set[int], sign: str) -> str:
    """The text with the letters and digits at these places replaced."""
    characters = list(text)
    for place in places:
        if characters[place].isalnum():
            characters[place] = sign
    return "".join(characters)


def _within(stretch: range, hidden: set[int]) -> bool:
    """Is something in it masked, or, of an empty one, on both sides of it."""
    around = (stretch.start - 1, stretch.stop)
    return any(place in hidden for place in stretch) if stretch else all(place in hidden for place in around)


def _stretches(before: str, after: str) -> Iterator[tuple[bool, tuple[int, int], tuple[int, int]]]:
    """Which stretches of both texts are equal, or stand in place of one another."""
    start, end = before[:_MOST_COMPARED], after[:_MOST_COMPARED]
    for tag, i, j, k, m in difflib.SequenceMatcher(None, start, end, autojunk=False).get_opcodes():
        yield tag == "equal", (i, j), (k, m)


def _places(text: str, *, loose: bool = True) -> set[int]:
    """Where letters and digits are to be masked: all of each find but the first."""
    places: set[int] = set()
    if not _HINT.search(text) or not _SIGN.search(text):
        return places
    for start, end in _found(text, loose=loose):
        places.update([place for place in range(start, end) if text[place].isalnum()][1:])
    return places


def _found(text: str, *, loose: bool) -> Iterator[tuple[int, int]]:
    for pattern, fits in _KINDS if loose else _SURE:
        for match in pattern.finditer(text):
            if fits(match.group()):
                yield match.span(match.lastindex or 0)


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


def _is_dni(text: str) -> bool:
    """The check letter of Spanish numbers (modulo 23)."""
    plain = text.replace("-", "")
    number = plain[:-1].translate({ord("X"): "0", ord("Y"): "1", ord("Z"): "2"})
    return plain[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


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
    if not 7 <= digits <= 15 or _DATE.match(text) or _NO_PHONE.fullmatch(text):
        return False
    return bool(re.search(r"[ ()./-]", text)) or text[0] == "+" or (text[0] == "0" and digits <= 13)


_SURE: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_EMAIL, _any),
    (_HANDLE, _any),
    (_IBAN, _is_iban),
    (_CARD, _is_card),
    (_SSN, _any),
    (_NINO, _any),
    (_DNI, _is_dni),
    (_MACHINE, _is_machine),
    (_USER, _any),
    (_SECRET, _any),
)
_KINDS = (*_SURE, (_PHONE, _is_phone))
