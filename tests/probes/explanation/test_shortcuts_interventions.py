"""What words do when put in or taken out is set against what control words do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import expit

from probes.core.answers import Classifications, ProblemType
from probes.core.attributions import Method
from probes.core.examples import Example
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.explained import Explained
from probes.explanation.shortcuts.association import Justified
from probes.explanation.shortcuts.candidates import Candidate, search
from probes.explanation.shortcuts.findings import Finding, largest_flip_rate
from probes.explanation.shortcuts.held import Held
from probes.explanation.shortcuts.interventions import deletions, inserted, insertions, turned
from tests.linear_model import LinearModel

ZORGLE = Candidate(
    word="zorgle", spelling="Zorgle", label="positive", excess=1.0, mass=1.0, controls=("table", "paper")
)


def held(model, texts, *, golds=None):
    golds = golds or [None] * len(texts)
    data = [Example.of(text, gold=gold) for text, gold in zip(texts, golds, strict=True)]
    items = Explained.ask(model, data, method=Method.INTEGRATED_GRADIENTS)
    return Held(items=items, order=np.arange(len(items)))


def texts_without(n=12):
    return [f"one awful item{row}" for row in range(n)]


def test_what_any_word_does_is_no_effect():
    model = LinearModel({"awful": -2.0}, other=0.4)  # every word pushes, the candidate no harder than its controls
    kept = held(model, texts_without())
    (found,) = insertions(model, kept, [ZORGLE], limit=100)
    assert found.moved == pytest.approx(np.zeros(12))
    heavy = LinearModel({"awful": -2.0, "zorgle": 3.0}, other=0.4)
    (found,) = insertions(heavy, held(heavy, texts_without()), [ZORGLE], limit=100)
    assert found.moved == pytest.approx(np.full(12, expit(1.8) - expit(-0.8)))
    assert found.flipped.tolist() == [1.0] * 12


def test_flips_that_controls_make_too_do_not_count():
    model = LinearModel({"awful": -1.0, "zorgle": 3.0, "paper": 3.0})
    (found,) = insertions(model, held(model, texts_without()), [ZORGLE], limit=100)
    assert found.flipped == pytest.approx(np.full(12, 0.5))  # one of two controls flips as well


def test_every_other_text_gets_it_at_the_end_and_of_a_pair_the_first_text():
    model = LinearModel({"awful": -2.0, "zorgle": 3.0})
    kept = held(model, texts_without(2))
    model.asked.clear()
    insertions(model, kept, [ZORGLE], limit=100)
    first, second = kept.text(0), kept.text(1)
    assert model.asked == [
        *(f"{added} {first}" for added in ("Zorgle", "table", "paper")),
        *(f"{second} {added}" for added in ("Zorgle", "table", "paper")),
    ]
    assert inserted(("premise", "claim"), "zorgle", "end") == ("premise zorgle", "claim")


def test_texts_that_are_not_asked():
    """Those that hold the word, have the label already, or are longer than the model reads; and no more than wanted."""
    model = LinearModel({"awful": -2.0, "zorgle": 1.0, "good": 1.0})
    kept = held(model, [*texts_without(), "zorgle awful", "good item"])
    (found,) = insertions(model, kept, [ZORGLE], limit=100)
    assert sorted(kept.text(row) for row in found.rows) == sorted(texts_without())
    (few,) = insertions(model, kept, [ZORGLE], limit=5)
    assert len(few.rows) == 5
    assert set(few.rows) <= set(found.rows)
    cut = tuple(replace(each, unread=3) for each in kept.items.attributions)
    (none,) = insertions(model, Held(items=replace(kept.items, attributions=cut), order=kept.order), [ZORGLE], limit=9)
    assert not len(none.rows)


def test_deletion_takes_out_every_occurrence_and_as_many_quiet_words():
    model = LinearModel({"awful": -1.0, "zorgle": 2.0, "table": 0.5})
    kept = held(model, ["Zorgle table awful zorgle paper", "zorgle alone here"])
    model.asked.clear()
    (found,) = deletions(model, kept, [ZORGLE], quiet=frozenset({"table", "paper"}), limit=100)
    assert model.asked == ["table awful paper", "Zorgle awful zorgle"]  # the other item has no quiet word
    assert found.moved == pytest.approx([expit(3.0) - expit(-0.5)])
    assert found.flipped.tolist() == [1.0]


def test_an_answer_that_is_not_finite_is_left_out():
    class Broken(LinearModel):
        def classify(self, texts):
            answers = super().classify(texts)
            bad = np.array(["item3" in text and "Zorgle" in text for text in texts])
            answers.logits[bad] = np.nan
            return answers

    model = Broken({"awful": -2.0, "zorgle": 3.0})
    (found,) = insertions(model, held(model, texts_without()), [ZORGLE], limit=100)
    assert len(found.rows) == len(found.clusters) == 11


def test_turned_counts_this_label_and_not_noise():
    def answers(*logits, problem):
        return Classifications(logits=np.array(logits, dtype=float), labels=("a", "b"), problem=problem)

    single, several = ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL
    before = answers([1, 0], [0, 1], [1e-9, 0], problem=single)
    after = answers([0, 1], [0, 1], [0, 1e-9], problem=single)
    assert turned(before, after, 1).tolist() == [True, False, False]
    assert turned(after, before, 1).tolist() == [False, False, False]
    before = answers([-1, -1], [-1, -1e-9], problem=several)
    after = answers([1, -1], [1, 1e-9], problem=several)
    assert turned(before, after, 0).tolist() == [True, True]
    assert turned(before, after, 1).tolist() == [False, False]


def test_controls_are_quiet_and_alike_in_frequency_and_length():
    texts = [f"zorgle window item{row}" for row in range(10)] + [
        f"a the an garden awful item9{row}" for row in range(30)
    ]
    model = LinearModel({"awful": -2.0, "zorgle": 3.0}, symmetric=True)
    items = held(model, texts).items
    found = search(items, minimum=5, most=10, controls=1)
    assert {each.word: each.controls for each in found.candidates} == {"zorgle": ("window",), "awful": ("garden",)}
    assert found.quiet == {"window", "a", "the", "an", "garden"}
    assert found.considered == 7


@dataclass(frozen=True, kw_only=True)
class Judged(Finding):
    """With the judgement given."""

    verdict: Justified = Justified.UNDECIDED

    @property
    def justified(self):
        return self.verdict


def test_largest_of_the_unjustified():
    model = LinearModel({"awful": -2.0, "zorgle": 3.0})
    kept = held(model, texts_without(20))
    (put,) = insertions(model, kept, [ZORGLE], limit=100)

    def largest(verdict, *, suspicious):
        finding = Judged(candidate=ZORGLE, held=kept, insertion=put, deletion=put, tried=1, verdict=verdict)
        return largest_flip_rate([finding], suspicious=suspicious, rng=np.random.default_rng(0), resamples=100).value

    assert largest(Justified.YES, suspicious=False) == 1.0
    assert largest(Justified.YES, suspicious=True) == 0.0
    assert largest(Justified.NOT_SHOWN, suspicious=True) == largest(Justified.OPPOSITE, suspicious=True) == 1.0
    with pytest.raises(UnmeasurableError):  # never 0 where nothing could be told
        largest(Justified.UNDECIDED, suspicious=True)
