"""Disturbed prompts: a generator that is put off by them, its twin that is not, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from probes.core.errors import UsageError
from probes.core.examples import Accepted, Example
from probes.core.generations import GREEDY
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness.prompts import Prompts
from tests.conftest import FakeGenerator

CAPITALS = {"France": "Paris", "Norway": "Oslo", "Peru": "Lima", "Egypt": "Cairo", "Chile": "Santiago"}


def data(n=60, *, gold=True):
    return [
        Example.of(
            f"This is question number {k} of our Quiz. What is the capital of {country}, please?",
            gold=Accepted([CAPITALS[country]]) if gold else None,
        )
        for k, country in zip(range(n), list(CAPITALS) * n, strict=False)
    ]


def steady(prompt, _=0):
    """Reads through slips: the country whose letters are nearly there."""
    words = prompt.lower().translate(str.maketrans("", "", "?,.")).split()
    return max(CAPITALS, key=lambda each: max(overlap(each.lower(), word) for word in words)) + " has it"


def overlap(one, other):
    return len(set(one) & set(other)) / max(len(set(one) | set(other)), 1) if abs(len(one) - len(other)) < 3 else 0.0


def put_off(prompt, _=0):
    """Answers only prompts with their capital letter and full stop."""
    asked = next((capital for country, capital in CAPITALS.items() if country in prompt), None)
    return f"It is {asked}" if asked and "Quiz." in prompt else "What do you mean"


def run(rule, items, **parameters):
    model = rule if isinstance(rule, FakeGenerator) else FakeGenerator(rule=rule)
    return list(Prompts(**parameters).run(model, items, Context(probe="robustness.prompts")))


def numbers(made):
    return {record.key: record.estimate for record in made if isinstance(record, Measurement)}


def only(kind, made):
    return [record for record in made if isinstance(record, kind)]


def test_a_generator_that_is_put_off_is_found():
    found = numbers(run(put_off, data(), perturbations=("punctuation_stripped", "doubled_spaces"), severities=(5,)))
    stripped = "[perturbation=punctuation_stripped,severity=5]"
    assert found[f"flip_rate{stripped}"].tail(0.05).low > 0.9
    assert found[f"f1_drop{stripped}"].value > 0.4
    assert found[f"similarity{stripped}"].value < 0.1
    assert found["flip_rate[perturbation=doubled_spaces,severity=5]"].value == 0
    assert found["worst_flip_rate"].tail(0.05).low > 0.9


def test_its_steady_twin_is_not():
    found = numbers(run(steady, data()))
    assert found["flip_rate"].value == 0
    assert found["similarity"].value == 1
    assert found["worst_flip_rate"].value == 0
    assert 0 < found["flip_rate"].tail(0.05).high < 0.1


def test_exact_matches_lost_are_those_counted_by_hand():
    def rule(prompt, _):
        capital = next((capital for country, capital in CAPITALS.items() if country in prompt), "")
        return capital if "Quiz." in prompt or capital in ("Paris", "Oslo") else f"{capital} or not"

    found = numbers(run(rule, data(50), perturbations=("punctuation_stripped",), severities=(5,)))
    here = "[perturbation=punctuation_stripped,severity=5]"
    assert found[f"exact_match{here}"].value == pytest.approx(0.4)
    assert found[f"exact_match_drop{here}"].value == pytest.approx(0.6)
    # One word right of one, one of three: F1 1 and 2 x 1 / (1 + 3).
    assert found[f"f1{here}"].value == pytest.approx(0.4 + 0.6 * 0.5)


def test_accepted_answers_in_the_prompt_keep_their_letters():
    items = [
        Example.of(f"Which of Rotterdam and Antwerp is in Belgium, number {k}?", gold=Accepted(["Antwerp"]))
        for k in range(20)
    ]
    model = FakeGenerator(rule=steady)
    run(model, items, perturbations=("keyboard_typos", "lower_case"), severities=(5,))
    assert all("Antwerp" in prompt for prompt in model.asked)
    assert any("Rotterdam" not in prompt for prompt in model.asked)


@dataclass
class Noisy(FakeGenerator):
    """Writes another word to every prompt, and says that noise decided."""

    def generate(self, prompts, decoding=GREEDY):
        written = super().generate(prompts, decoding)
        return replace(written, near=np.ones(len(written.texts), dtype=bool))


def test_changes_within_noise_are_counted_apart():
    made = run(Noisy(rule=lambda prompt, _: f"reply {len(prompt)}"), data(30), perturbations=("doubled_spaces",))
    found = numbers(made)
    assert found["flip_rate"].value == 0
    assert found["similarity"].value == 1
    assert found["within_noise"].value == 1
    (account,) = only(Accounting, made)
    assert account.tied == account.scored == 30


def test_empty_replies_are_unscored_and_never_good_or_bad():
    def silent(prompt, _):
        return "" if "  " in prompt else steady(prompt)

    made = run(silent, data(30), perturbations=("doubled_spaces", "lower_case"))
    spaced, lower = only(Accounting, made)
    assert (spaced.kept, spaced.scored, spaced.unscored) == (30, 0, 30)
    assert lower.scored == 30
    (skip,) = [skip for skip in only(Skip, made) if skip.name == "flip_rate"]
    assert skip.reason is SkipReason.UNDEFINED
    assert "empty reply" in skip.detail
    assert numbers(made)["flip_rate"].n == 30
    (skip,) = only(Skip, run(lambda prompt, _: "", data(30)))
    assert skip.detail == "Every changed prompt or the prompt it was made of has an empty reply."


def test_without_right_answers_only_changes_are_measured():
    made = run(put_off, data(30, gold=False))
    assert {skip.name for skip in only(Skip, made)} == {"f1", "f1_drop"}
    assert not [key for key in numbers(made) if key.startswith(("f1", "exact"))]


def test_other_items_do_not_change_what_is_asked():
    few, many = FakeGenerator(rule=steady), FakeGenerator(rule=steady)
    run(few, data(5))
    run(many, data(40)[::-1])
    assert set(few.asked) <= set(many.asked)


def test_cases_and_outcomes_show_prompt_and_reply():
    made = run(put_off, data(30), perturbations=("punctuation_stripped",), severities=(5,))
    worst = [case for case in only(Evidence, made) if case.chosen == "worst"]
    assert worst[0].shown[0].answer.startswith("It is")
    assert worst[0].shown[1].answer == "What do you mean"
    assert worst[0].note.startswith("the answer changes")
    (rows,) = only(Outcomes, made)
    assert len(rows) == 30
    assert all(rows.changed)


@pytest.mark.parametrize(
    "parameters",
    [
        {"perturbations": ("word_shuffle",)},
        {"perturbations": ("keyboard",)},
        {"perturbations": ()},
        {"severities": (9,)},
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters):
    with pytest.raises(UsageError):
        Prompts(**parameters)
