"""Formats of a prompt: a generator that knows one only, its twin that reads them all, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from probes.core.errors import UsageError
from probes.core.examples import Accepted, Example
from probes.core.generations import GREEDY
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness.format import USUAL, Format
from tests.conftest import FakeGenerator

WORDS = ("lamp", "river", "stone", "cloud", "bread")


def data(n=40, *, gold=True):
    return [
        Example.of(f"Say the word {WORDS[k % 5]} to guest {k}.", gold=Accepted([WORDS[k % 5]]) if gold else None)
        for k in range(n)
    ]


def steady(prompt, _=0):
    return next(word for word in WORDS if word in prompt.lower())


def particular(prompt, _=0):
    """Put off by capital field names."""
    return "pardon" if "INPUT" in prompt else steady(prompt)


def run(rule, items, **parameters):
    model = rule if isinstance(rule, FakeGenerator) else FakeGenerator(rule=rule)
    return list(Format(**parameters).run(model, items, Context(probe="robustness.format")))


def numbers(made):
    return {record.key: record.estimate for record in made if isinstance(record, Measurement)}


def only(kind, made):
    return [record for record in made if isinstance(record, kind)]


def test_a_generator_that_is_particular_is_found():
    found = numbers(run(particular, data()))
    assert found["f1[format=upper-colon-line]"].value == 0
    assert found["f1[format=lower-colon-line]"].value == 1
    assert found["f1_spread"].tail(0.05).low > 0.6
    assert found["worst_disagreement"].tail(0.05).low > 0.8
    # One of six formats differs from the five others: 5 of 15 pairs.
    assert found["disagreement"].value == pytest.approx(5 / 15)
    assert found["disagreement[format=upper-colon-line]"].value == 1
    assert found["disagreement[format=title-colon-line]"].value == pytest.approx(1 / 5)
    assert found["similarity"].value == pytest.approx(10 / 15)


def test_its_steady_twin_is_not():
    found = numbers(run(steady, data()))
    assert found["f1_spread"].value == found["disagreement"].value == found["worst_disagreement"].value == 0
    assert found["similarity"].value == 1
    assert 0 < found["disagreement"].high < 0.15


def test_a_spread_of_formats_that_are_alike_is_not_taken_for_one():
    """Each format is right about as often, on other items: the observed range is noise, and its lower bound says so."""
    hits = np.random.default_rng(5).random((60, 6)) < 0.5
    made = dict(zip((each.text for each in data(60)), hits, strict=True))

    def rule(prompt, _):
        text = next(text for text in made if text.split("guest")[1] in f"{prompt} ")
        column = next(k for k, name in enumerate(USUAL) if name in forms(text, prompt))
        return steady(prompt) if made[text][column] else "pardon"

    def forms(text, prompt):
        from probes.text.prompt_formats import FORMATS, fields_of

        return [name for name in USUAL if FORMATS[name].write(fields_of(text)) == prompt]

    found = numbers(run(rule, data(60)))
    assert found["f1_spread"].value > 0.05
    assert found["f1_spread"].tail(0.05).low == 0, "a range is never below 0"


@dataclass
class Noisy(FakeGenerator):
    def generate(self, prompts, decoding=GREEDY):
        written = super().generate(prompts, decoding)
        return replace(written, near=np.ones(len(written.texts), dtype=bool))


def test_differences_within_noise_count_as_none():
    made = run(Noisy(rule=particular), data())
    found = numbers(made)
    assert found["disagreement"].value == 0
    assert found["similarity"].value == 1
    (account,) = only(Accounting, made)
    assert account.tied == account.scored == 40


def test_items_with_an_empty_reply_are_unscored():
    made = run(lambda prompt, _: "" if "INPUT" in prompt and "river" in prompt else steady(prompt), data())
    (account,) = only(Accounting, made)
    assert (account.eligible, account.scored, account.unscored) == (40, 32, 8)
    assert numbers(made)["disagreement"].n == 32
    silent = run(lambda prompt, _: "", data())
    assert not only(Measurement, silent)
    (skip,) = only(Skip, silent)
    assert skip.reason is SkipReason.UNDEFINED
    assert skip.detail == "No item is left: 40 items with an empty reply in some way."


@pytest.mark.parametrize("gold", [True, False])
def test_the_same_reply_to_everything_shows_nothing_about_formats(gold):
    """A fifth of the replies are right, and all formats agree, whatever the model makes of them."""
    made = run(lambda prompt, _: "lamp" if "INPUT" in prompt else "Lamp.", data(gold=gold))
    skips = {skip.name: skip.detail for skip in only(Skip, made)}
    assert set(skips) == {"disagreement", "similarity", "worst_disagreement", "f1_spread"}
    assert skips["disagreement"].startswith("The model gives the same reply to everything")
    assert ("same reply to everything" in skips["f1_spread"]) is gold
    assert {key.partition("[")[0] for key in numbers(made)} == ({"f1"} if gold else set())
    other = run(lambda prompt, _: "lamp" if "guest 1." in prompt else "river", data())
    assert numbers(other)["disagreement"].value == 0


@dataclass
class Short(FakeGenerator):
    """Reads prompts of so many characters."""

    longest: int = 50

    def generate(self, prompts, decoding=GREEDY):
        written = super().generate([prompt[-self.longest :] for prompt in prompts], decoding)
        return replace(written, cut=np.array([max(0, len(prompt) - self.longest) for prompt in prompts]))


def test_prompts_that_are_not_read_whole_say_nothing_of_formats():
    """What is left of them may be the same in every format."""
    made = run(Short(rule=lambda prompt, _: "yes"), data())
    (account,) = only(Accounting, made)
    assert 0 < account.unscored < account.eligible
    assert "longer than the model reads" in account.note
    (skip,) = only(Skip, run(Short(rule=lambda prompt, _: "yes", longest=5), data()))
    assert skip.reason is SkipReason.UNDEFINED


def test_without_answers_only_replies_are_compared():
    made = run(particular, data(gold=False))
    assert [skip.name for skip in only(Skip, made)] == ["f1_spread"]
    assert "disagreement" in numbers(made)
    assert not [key for key in numbers(made) if key.startswith("f1")]


def test_cases_and_outcomes():
    made = run(particular, data())
    worst = [case for case in only(Evidence, made) if case.chosen == "worst"]
    assert {worst[0].shown[0].answer, worst[0].shown[1].answer} > {"pardon"}
    assert worst[0].note.endswith("the reply changes")
    (rows,) = only(Outcomes, made)
    assert len(rows) == 40 * 6
    assert sum(rows.changed) == 40
    assert sum(rows.correct) == 40 * 5


@pytest.mark.parametrize("formats", [("title-colon",), ("title-colon-line",), ("title-colon-line",) * 2])
def test_formats_that_are_none_are_refused(formats):
    with pytest.raises(UsageError):
        Format(formats=formats)
