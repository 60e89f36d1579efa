"""A statement that looks like an answer to a question and answers another one: names and numbers are exchanged."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

from probes.core.answer_scores import normalised
from probes.text.lexicon import rows

_NAME = re.compile(r"[^\W\d_a-z][\w'’-]*(?:\s+[^\W\d_a-z][\w'’-]*)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_DIGIT = re.compile(r"\d")
_COUNTED = ("how many", "how much", "how long", "how old", "how far", "how often", "how high", "how tall")
_WH = re.compile(rf"\b(?:{'|'.join(_COUNTED)}|who|whom|whose|what|which|when|where|why|how)\b", re.I)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)\b", re.I
)
_DO = frozenset({"do", "does", "did"})
_SMALL = frozenset({"in", "because", "of"})
"""Words of made-up answers that do not count as shared with an accepted one."""
_NEAR = 4
"""Words between the question word and its auxiliary at most ("Which of the four bridges was ...")."""
_TRIES = 20


def distractor(question: str, context: str, golds: Sequence[str], rng: random.Random) -> str | None:
    """One sentence, or None for a question without a name or number that could be exchanged, or of another form.

    The statement has the words of the question, every name and number in it replaced by another one, and an answer of
    the same type as the accepted ones, as far as their form tells. The answer shares no word with the accepted
    ones, and none of the new names and numbers stands in the context: so it does not answer the question.
    """
    taken = f"{question} {context} {' '.join(golds)}"
    asked = question.strip().rstrip("?").strip()
    wh = _WH.search(asked)
    swapped = _swapped(asked, taken, rng)
    if wh is None or swapped is None:
        return None
    answer = _answer(wh.group().lower(), asked, golds, f"{taken} {swapped}", rng)
    if answer is None:
        return None
    statement = _statement(swapped, answer)
    return None if statement is None else f"{statement[0].upper()}{statement[1:]}."


def _swapped(asked: str, taken: str, rng: random.Random) -> str | None:
    """The question with other names and numbers; None where it has none."""
    edits: list[tuple[int, int, str]] = []
    chosen: dict[str, str] = {}
    for found in _names(asked):
        old = found.group()
        used = " ".join((taken, *chosen.values()))
        new = chosen.setdefault(old, " ".join(_fresh("name", used, rng, count=len(old.split()))))
        edits.append((*found.span(), new))
    for found in _NUMBER.finditer(asked):
        if any(start <= found.start() < end for start, end, _ in edits):
            continue
        number = _other_number(found.group(), taken, rng)
        if number is not None:
            edits.append((*found.span(), number))
    if not edits:
        return None
    for start, end, new in sorted(edits, reverse=True):
        asked = asked[:start] + new + asked[end:]
    return asked


def _names(asked: str) -> Iterable[re.Match[str]]:
    """Runs of words with a capital letter, without the word that the question begins with."""
    first = re.match(r"\w+", asked)
    for found in _NAME.finditer(asked):
        if first is not None and found.start() == 0:
            rest = _NAME.search(asked, first.end()) if " " in found.group() else None
            if rest is not None and rest.end() == found.end():
                yield rest
            continue
        if found.group() != "I":
            yield found


def _answer(wh: str, asked: str, golds: Sequence[str], taken: str, rng: random.Random) -> str | None:
    """Another answer of the type of the accepted ones."""
    gold = golds[0] if golds else ""
    known = set(" ".join(map(normalised, golds)).split()) - _SMALL
    if _NUMBER.search(gold) or (not gold and wh in _COUNTED):
        answer = _other_number(_number_in(gold) or "417", taken, rng)
    elif wh == "when" or re.search(r"\byear\b", asked, re.I):
        answer = _other_number("1860", taken, rng)
    elif wh in ("who", "whom", "whose", "where") or (gold[:1].isupper() and gold[-1:].isalpha()):
        answer = " ".join(_fresh("name", taken, rng, count=1 if wh == "where" else 2))
    elif wh in _COUNTED:
        answer = _other_number("417", taken, rng)
    else:
        answer = _fresh("reason" if wh == "why" else "thing", taken, rng, count=1)[0]
    if answer is None or set(normalised(answer).split()) & known:
        return None
    return f"in {answer}" if wh in ("when", "where") and asked.lower().startswith(wh) else answer


def _number_in(text: str) -> str | None:
    found = _NUMBER.search(text)
    return found.group() if found else None


def _fresh(wanted: str, taken: str, rng: random.Random, *, count: int) -> list[str]:
    """Entries of the list that do not stand in the text yet; any where all do."""
    every = [text for kind, text in rows("distractor_words") if kind == wanted]
    free = [text for text in every if text.lower() not in taken.lower()] or every
    return rng.sample(free, min(count, len(free)))


def _other_number(number: str, taken: str, rng: random.Random) -> str | None:
    """As many digits, of which the first is none of "0"; one that does not stand in the text."""
    year = re.fullmatch(r"1\d\d\d|20\d\d", number)
    for _ in range(_TRIES):
        if year:
            new = str(int(number) - rng.randrange(3, 90))
        else:
            head, tail = number[0], number[1:]
            new = rng.choice([each for each in "123456789" if each != head])
            new += _DIGIT.sub(lambda _: str(rng.randrange(10)), tail)
        if not re.search(rf"(?<!\d){re.escape(new)}(?!\d)", taken):
            return new
    return None


def _statement(asked: str, answer: str) -> str | None:
    wh = _WH.search(asked)
    if wh is None:
        return None
    before, after = asked[: wh.start()], asked[wh.end() :]
    auxiliary = _AUXILIARY.search(after)
    if auxiliary is None or len(after[: auxiliary.start()].split()) > _NEAR:
        # The question word is the subject: "Which river crosses Rome" -> "A brass compass river crosses Orsik".
        return f"{before}{answer}{after}".strip()
    verb = auxiliary.group().lower()
    said = after[auxiliary.end() :].strip()
    parts = (said, "" if verb in _DO else verb, before.strip().lower(), answer)
    return " ".join(part for part in parts if part)
