"""Texts that stand in two data sets."""

from __future__ import annotations

import random

import pytest

from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Skip, SkipReason
from probes.shift.overlap.duplicates import jaccard, normalised, shared_texts, shingles, twins
from probes.shift.overlap.probe import Overlap
from tests.conftest import FakeModel

TEXT = "the film was a slow and rather empty story with two good actors who seem to know it all"


def sentence(seed: int, length: int = 20) -> str:
    return " ".join(random.Random(seed).choices(TEXT.split(), k=length)) + f" number {seed}"


def changed(text: str) -> str:
    """One word of it replaced."""
    words = text.split()
    words[3] = "quite"
    return " ".join(words)


def home(n: int = 60) -> list[Example]:
    return [Example.of(sentence(k), gold="positive" if k % 2 else "negative") for k in range(n)]


def away(texts: list[str], *, gold: str | None = "positive") -> list[Example]:
    return [Example.of(text, gold=gold).within("tweets") for text in texts]


def run(data: list[Example], **parameters: object) -> list[object]:
    model = FakeModel(lambda text: (0.0, 1.0))
    return list(Overlap(**parameters).run(model, data, Context(probe="shift.overlap")))


def shares(records: list[object]) -> dict[str, float]:
    return {r.name: r.estimate.value for r in records if isinstance(r, Measurement)}


def test_exact_and_near_duplicates_are_counted_apart():
    fresh = [sentence(k) for k in range(1000, 1040)]
    texts = [*fresh, sentence(1).upper() + "!!", sentence(2), changed(sentence(3))]
    assert jaccard(shingles(normalised(texts[-1])), shingles(normalised(sentence(3)))) >= 0.8
    found = shares(run([*home(), *away(texts)]))
    assert found == {"exact_share": pytest.approx(2 / 43), "duplicate_share": pytest.approx(3 / 43)}


def test_separate_data_share_nothing():
    records = run([*home(), *away([sentence(k) for k in range(1000, 1060)])])
    assert shares(records) == {"exact_share": 0, "duplicate_share": 0}
    assert not [r for r in records if isinstance(r, Evidence)]
    assert next(r for r in records if isinstance(r, Measurement)).estimate.high > 0


def test_the_same_file_is_said_to_be_the_same():
    records = run([*home(), *(example.within("tweets") for example in home())])
    assert shares(records) == {"exact_share": 1, "duplicate_share": 1}
    account = next(r for r in records if isinstance(r, Accounting) and r.slice == {"domain": "tweets"})
    assert account.note.startswith("every text stands among the in-domain texts")


def test_other_right_answers_are_counted_and_shown():
    texts = [sentence(k) for k in (1, 2, 3)] + [sentence(k) for k in range(1000, 1040)]
    records = run([*home(), *away(texts)])
    account = next(r for r in records if isinstance(r, Accounting) and r.slice == {"domain": "tweets"})
    assert account.note == "3 exact and 0 near duplicates of in-domain texts; 1 of them with another right answer"
    cases = [r for r in records if isinstance(r, Evidence)]
    assert len(cases) == 3
    assert sum("the in-domain text has the right answer negative" in case.note for case in cases) == 1


def test_texts_that_two_other_kinds_share_are_counted_too():
    tweets = away([sentence(k) for k in range(1000, 1060)])
    news = [Example.of(sentence(k).title() + "!").within("news") for k in range(1050, 1100)]
    accounts = {r.slice["domain"]: r.note for r in run([*home(), *tweets, *news]) if isinstance(r, Accounting)}
    apart = "no text in common with the in-domain texts"
    assert accounts["tweets"] == f"{apart}; word for word among those called news: 10"
    assert accounts["news"] == f"{apart}; word for word among those called tweets: 10"
    assert shared_texts([["a b", "c"], ["A, b!", "a b"], ["d"]]) == [{1: 1}, {0: 2}, {}]


def test_too_few_items_give_a_reason_and_no_share():
    records = run([*home(), *away([sentence(1), sentence(2)])])
    (skip,) = [r for r in records if isinstance(r, Skip)]
    assert skip.reason is SkipReason.TOO_FEW
    assert skip.slice == {"domain": "tweets"}
    assert not shares(records)


def test_items_beyond_the_limit_are_accounted_for():
    records = run([*home(), *away([sentence(k) for k in range(1000, 1050)])], items=40)
    accounts = {r.slice["domain"]: r for r in records if isinstance(r, Accounting)}
    assert [(a.eligible, a.scored, a.unscored) for a in accounts.values()] == [(60, 40, 20), (50, 40, 10)]


def test_pairs_are_compared_together():
    first = [Example.of((sentence(k), "same second text here"), gold="a") for k in range(40)]
    other = [Example.of((sentence(k), "another hypothesis of other words"), gold="a").within("x") for k in range(40)]
    assert shares(run([*first, *other]))["exact_share"] == 0


def test_order_of_rows_changes_nothing():
    data = [*home(), *away([sentence(k) for k in (1, 2, 3, *range(1000, 1040))])]
    assert run(data) == run(data[::-1])


def brute(texts: list[str], known: list[str], threshold: float) -> list[bool]:
    own, cut = ([shingles(normalised(text)) for text in some] for some in (texts, known))
    return [max(jaccard(one, each) for each in cut) >= threshold for one in own]


def test_hardly_a_pair_is_missed():
    """Against every pair compared: texts with one to three words replaced, on both sides of the threshold."""
    draw = random.Random(0)
    known = [sentence(k, 20) for k in range(300)]
    texts = []
    for text in known:
        words = text.split()
        for at in draw.sample(range(len(words)), draw.randint(1, 3)):
            words[at] = draw.choice(["curious", "blue", "never"])
        texts.append(" ".join(words))
    expected = brute(texts, known, 0.8)
    found = [twin is not None for twin in twins(texts, known, threshold=0.8)]
    assert 60 < sum(expected) < 290
    assert not any(hit and not right for hit, right in zip(found, expected, strict=True))
    assert sum(found) > 0.97 * sum(expected)


@pytest.mark.parametrize("text", ["", " ", "!?", "\U0001f600", "ab", "\ud800", "x" * 20_000])
def test_odd_texts(text):
    assert twins([text], [text], threshold=0.8)[0].alike == 1.0
    assert twins([text], ["something quite different, really"], threshold=0.8) == [None]


@pytest.mark.parametrize("wrong", [{"threshold": 0.2}, {"threshold": 1.5}, {"items": 0}])
def test_parameters(wrong):
    with pytest.raises(UsageError):
        Overlap(**wrong)
