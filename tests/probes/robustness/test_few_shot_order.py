"""Orders of the examples: a generator that repeats the last one, its twin that does the task, what is set apart."""

from __future__ import annotations

from collections import Counter

import pytest

from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Measurement, Skip, SkipReason
from probes.robustness.few_shot_order import FewShotOrder
from tests.conftest import FakeGenerator

WORDS = ("lamp", "river", "stone", "cloud", "bread", "cup")


def data(n=36, *, clusters=None):
    return [
        Example.of(
            f"Say the word {WORDS[k % 6]} to guest {k}.",
            gold=Accepted([WORDS[k % 6]]),
            cluster=clusters and f"cluster {k % clusters}",
        )
        for k in range(n)
    ]


def does_the_task(prompt, _=0):
    last = prompt.rsplit("Input: ", 1)[1]
    return next(word for word in WORDS if word in last)


def repeats(prompt, _=0):
    """Writes the answer of the last example."""
    return prompt.rsplit("Output: ", 1)[1].split()[0]


def run(rule, items, **parameters):
    model = FakeGenerator(rule=rule)
    made = list(FewShotOrder(**parameters).run(model, items, Context(probe="robustness.few_shot_order")))
    return made, model


def numbers(made):
    return {record.key: record.estimate for record in made if isinstance(record, Measurement)}


def test_a_generator_that_repeats_the_last_example_is_found():
    made, _ = run(repeats, data(), demonstrations=3, orders=6)
    found = numbers(made)
    # Each of the three examples is last in two of the six orders: 3 of 15 pairs of orders agree, unless words repeat.
    assert found["disagreement"].value >= 0.5
    assert found["disagreement"].tail(0.05).low > 0.5
    assert found["worst_disagreement"].value >= found["disagreement"].value
    assert found["f1_spread"].value >= 0


def test_its_twin_that_does_the_task_is_not():
    made, _ = run(does_the_task, data())
    found = numbers(made)
    assert found["disagreement"].value == found["f1_spread"].value == 0
    assert found["f1[order=order_1]"].value == 1


def test_the_same_reply_to_everything_shows_nothing_about_orders():
    made, _ = run(lambda prompt, _: "yes", data())
    assert {skip.name for skip in made if isinstance(skip, Skip)} == {
        "disagreement", "similarity", "worst_disagreement", "f1_spread",
    }  # fmt: skip


def test_a_preference_for_an_order_is_a_spread_of_scores():
    _, model = run(does_the_task, data())
    first_shown = {prompt.split("\n\n")[0] for prompt in model.asked}
    favourite = sorted(first_shown)[0]

    def rule(prompt, _):
        return does_the_task(prompt) if prompt.startswith(favourite) else "pardon"

    found = numbers(run(rule, data())[0])
    assert found["f1_spread"].tail(0.05).low > 0.6


def test_examples_are_held_apart_with_their_clusters():
    made, model = run(does_the_task, data(clusters=9), demonstrations=4, orders=5)
    asked = Counter(prompt.rsplit("Input: ", 1)[1] for prompt in model.asked)
    shown = {part.split("Input: ")[1].split("\n")[0] for prompt in model.asked for part in prompt.split("\n\n")[:-1]}
    assert len(shown) == 4
    assert not {each.split("\n")[0] for each in asked} & shown
    # Four of nine clusters of four items each are set apart.
    assert len(asked) == 36 - 4 * 4
    assert set(asked.values()) == {5}
    (account,) = [record for record in made if isinstance(record, Accounting)]
    assert (account.eligible, account.scored) == (36, 20)


def test_the_same_examples_whatever_the_order_of_the_data():
    _, forward = run(does_the_task, data())
    _, backward = run(does_the_task, data()[::-1])
    assert forward.asked == backward.asked


def test_orders_differ_and_hold_the_same_examples():
    _, model = run(does_the_task, data(), orders=5)
    mine = [prompt.split("\n\n")[:-1] for prompt in model.asked[:5]]
    assert len({tuple(each) for each in mine}) == 5
    assert len({tuple(sorted(each)) for each in mine}) == 1


def test_a_reply_ends_at_an_empty_line():
    _, model = run(does_the_task, data())
    assert {decoding.stop for decoding in model.decodings} == {("\n\n",)}


@pytest.mark.parametrize("n", [0, 2, 3])
def test_too_few_items_say_so(n):
    made, _ = run(does_the_task, data(n))
    (skip,) = [record for record in made if isinstance(record, Skip)]
    assert skip.reason is SkipReason.TOO_FEW
    assert not numbers(made)


@pytest.mark.parametrize("parameters", [{"demonstrations": 1}, {"demonstrations": 7}, {"orders": 1}, {"orders": 7}])
def test_parameters_out_of_range_are_refused(parameters):
    with pytest.raises(ValueError, match="number from 2"):
        FewShotOrder(**parameters)
