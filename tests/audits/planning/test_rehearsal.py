"""What a rehearsal on a few items says about an audit of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from audits.planning.domains import Domains
from audits.planning.pools import Pools
from audits.planning.recorder import Recorder
from audits.planning.rehearsal import DOMAIN_SIZES, EXPLAINED_SIZES, LEAST_PART, SIZES, rehearse
from probes.core.answers import ProblemType
from probes.core.attributions import Method, forward_passes
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context
from probes.registry import load_registry
from probes.robustness.perturbed import Perturbed
from tests.audits.stubs import Stub, info
from tests.conftest import model_card, reader_card, tagger_card

SAMPLES = frozenset({Capability.CLASSIFY, Capability.ATTRIBUTE})


@dataclass(frozen=True)
class Asks(Stub):
    """Asks `each` questions about every item, `again` about `few` of them, and `late` about every item after 80."""

    each: int = 0
    few: int = 0
    again: int = 0
    late: int = 0
    own: tuple[str, ...] = ()

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        model.classify([example.text for example in data])
        model.classify([f"{example.text} each {k}" for example in data for k in range(self.each)])
        model.classify([f"{example.text} again {k}" for example in data[: self.few] for k in range(self.again)])
        model.classify([f"{example.text} late {k}" for example in data[80:] for k in range(self.late)])
        model.classify(self.own)
        yield from ()


def texts(n: int) -> list[Example]:
    return [Example(id=str(k), text=f"text number {k}", gold=("good", "bad")[k % 2]) for k in range(n)]


def pools(n: int, *, others: int = 0) -> Pools:
    domains = Domains(home=tuple(texts(n)), others={"far": tuple(each.within("far") for each in texts(others))})
    return Pools(texts(n), domains, seed=0)


def rehearsed(n: int, **asks: Any) -> Any:
    return rehearse([Asks(info=info("a.one", needs=SAMPLES), **asks)], pools(n), card=model_card(), seed=0)["a.one"]


def asked(n: int, **asks: Any) -> int:
    """In earnest."""
    recorder = Recorder(model_card())
    for _ in Asks(info=info("a.one", needs=SAMPLES), **asks).run(recorder, texts(n), None):
        pass
    return len(recorder.asked) - n


@pytest.mark.parametrize("n", [0, 1, 2, 7, EXPLAINED_SIZES[1], 400])
@pytest.mark.parametrize(
    "asks",
    [{"each": 3}, {"few": 24, "again": 50}, {"own": ("a", "b")}, {"each": 2, "few": 24, "again": 7, "own": ("a",)}],
)
def test_what_is_asked_of_all_and_of_a_sample_is_told_apart(n, asks):
    assert rehearsed(n, **asks).calls(n) == asked(n, **asks)


def test_a_probe_that_asks_little_of_few_items_costs_nothing_below_none():
    questions = rehearsed(400, late=2)
    assert questions.fixed < 0
    assert questions.calls(10) == 0
    # Nothing was asked of half the sample: the step is taken for a slope.
    assert asked(400, late=2) * 0.6 < questions.calls(400) <= asked(400, late=2)


def test_a_sample_is_no_cost_of_every_item():
    questions = rehearsed(400, few=24, again=50)
    assert questions.own == 0
    assert questions.fixed == 24 * 50


def test_probes_that_draw_no_samples_are_rehearsed_on_few_items():
    class Counts(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            sizes.append(len(data))
            yield from ()

    sizes: list[int] = []
    probes = [
        Counts(info=info("a.one")),
        Counts(info=info("a.two", needs=SAMPLES)),
        Counts(info=info("a.three", domains=True)),
    ]
    rehearse(probes, pools(200, others=20), card=model_card(), seed=0)
    assert sizes == [*SIZES, *EXPLAINED_SIZES, *(size + 20 for size in DOMAIN_SIZES)]


def test_an_attribution_counts_as_many_passes():
    class Explains(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            model.attribute([example.text for example in data], ["good"] * len(data))
            yield from ()

    one, again = rehearse(
        [Explains(info=info("a.one")), Explains(info=info("a.again"))], pools(100), card=model_card(), seed=0
    ).values()
    assert one.new == pytest.approx(forward_passes(Method.INTEGRATED_GRADIENTS, words=3))
    assert again.own == one.own
    assert again.new == 0


@pytest.mark.parametrize(("first", "second"), [(100, 200), (200, 100), (60, 200), (30, 400), (200, 200)])
def test_what_probes_share_is_counted_once_and_what_only_one_of_them_reaches_too(first, second):
    """The second explains the items of the first, and those that only it has."""

    class Explains(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            model.attribute([example.text for example in data], ["good"] * len(data))
            yield from ()

    items = {"a.one": first, "a.two": second}
    probes = [Explains(info=info(name, needs=SAMPLES)) for name in items]
    found = rehearse(probes, pools(400), card=model_card(), seed=0, items=items)
    each = forward_passes(Method.INTEGRATED_GRADIENTS, words=3)
    total = sum(found[name].calls(count) for name, count in items.items())
    # A sample is nearly a part of a larger one, and a small part is rehearsed as a larger one.
    assert total == pytest.approx(max(first, second) * each, rel=0.35 if first < LEAST_PART * second else 0.03)
    assert total <= 1.03 * max(first, second) * each


def test_answers_are_by_chance_and_the_same_for_the_same_text():
    first, again = Recorder(model_card()), Recorder(model_card())
    asked = [f"text {k}" for k in range(200)]
    logits = first.classify(asked).logits
    np.testing.assert_array_equal(logits, again.classify(asked[::-1]).logits[::-1])
    shares = np.bincount(logits.argmax(axis=1), minlength=2) / 200
    assert shares.min() > 0.35
    (found,) = first.attribute(["one two three"], ["good"])
    assert len(set(found.scores)) == 3
    assert first.classify([]).logits.shape == (0, len(model_card().labels))
    assert first.embed([]).shape == (0, 2)


ASK_FIRST = [probe for probe in load_registry().probes.values() if probe.info.asks_first]
PERTURBED = [probe for probe in ASK_FIRST if isinstance(probe, Perturbed)]
"""All of them are one class, which asks each kind of head in its own way whatever the perturbation."""


@pytest.mark.parametrize(
    "probe", [probe for probe in ASK_FIRST if probe not in PERTURBED], ids=lambda probe: probe.info.id
)
def test_a_probe_that_says_so_asks_nothing_after_its_first_record(probe):
    data = [Example(id=str(k), text=f"My sister and a young Muslim man saw film {k}.", gold=None) for k in range(12)]
    recorder = Recorder(model_card())
    records = probe.run(recorder, data, Context(probe=probe.info.id))
    next(records)
    asked = dict(recorder.asked)
    assert len(list(records)) > 10
    assert recorder.asked == asked
    assert len(asked) > 100


@pytest.mark.parametrize("card", [model_card(), tagger_card(), reader_card()], ids=lambda card: card.problem)
def test_so_does_a_perturbation_of_each_kind_of_head(card):
    assert {type(probe) for probe in load_registry().probes.values() if isinstance(probe, Perturbed)} == {Perturbed}
    probe = next(each for each in PERTURBED if each.info.id == "robustness.random_case")
    said = [f"My sister Ada and a young man saw film {k} in Rome." for k in range(12)]
    pairs = card.problem is ProblemType.SPAN
    data = [Example(id=str(k), text=("Who saw it?", text) if pairs else text, gold=None) for k, text in enumerate(said)]
    recorder = Recorder(card)
    records = probe.run(recorder, data, Context(probe=probe.info.id))
    next(records)
    asked = dict(recorder.asked)
    assert len(list(records)) > 10
    assert recorder.asked == asked
    assert len(asked) > 3 * len(data)


def test_such_a_probe_is_rehearsed_up_to_its_first_record():
    class Measures(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            model.classify([f"{example.text} again" for example in data])
            yield None
            raise AssertionError("nothing is measured in a rehearsal")

    probe = Measures(info=info("a.one", asks_first=True))
    assert rehearse([probe], pools(40), card=model_card(), seed=0)["a.one"].new == 1


def test_where_both_samples_are_the_same_a_probe_is_rehearsed_once():
    class Counts(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            sizes.append(len(data))
            model.classify(["a", "b", "c"])
            yield from ()

    sizes: list[int] = []
    found = rehearse([Counts(info=info("a.one", data=False))], pools(40), card=model_card(), seed=0)["a.one"]
    assert sizes == [0]
    assert found.calls(40) == 3


def test_a_probe_that_searches_costs_what_it_declares():
    searches = Asks(info=info("a.one", calls=41, searches=True), each=2)
    questions = rehearse([searches], pools(20), card=model_card(), seed=0)["a.one"]
    assert (questions.own, questions.new, questions.fixed) == (40, 40, 0)
