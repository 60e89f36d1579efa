"""shift.ood as a whole: planted models that do and do not notice, null behaviour, and what cannot be measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from probes.core.answers import Classifications, ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Skip, SkipReason
from probes.shift.domains import HOME
from probes.shift.ood.probe import OutOfDistribution
from tests.conftest import model_card

NAMES = {"confidence", "entropy", "margin", "energy", "mahalanobis", "neighbours"}
WIDTH = 24


@dataclass
class Noticing:
    """Texts are "<kind> <number>". Of kinds in `doubts` it is unsure, those in `moves` are embedded elsewhere.

    Everything else is noise that depends on the number and the seed alone.
    """

    doubts: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    seed: int = 1
    card: object = field(default_factory=model_card)
    asked: list[str] = field(default_factory=list)

    def _noise(self, text, size):
        return np.random.default_rng([self.seed, int(text.split()[1]), size]).normal(size=size)

    def classify(self, texts):
        self.asked.append("classify")
        labels = self.card.labels
        logits = np.array([self._noise(text, len(labels)) for text in texts])
        logits -= logits.mean(axis=1, keepdims=True) if len(labels) > 1 else 0.0
        logits *= np.array([0.2 if text.split()[0] in self.doubts else 3.0 for text in texts])[:, None]
        return Classifications(logits=logits, labels=labels, problem=self.card.problem)

    def embed(self, texts):
        self.asked.append("embed")
        moved = np.array([4.0 * (text.split()[0] in self.moves) for text in texts])
        return np.array([self._noise(text, WIDTH) for text in texts]) + moved[:, None] * (np.arange(WIDTH) < 3)


def items(n=120, kinds=("tweets",), *, gold=True, start=0):
    """n in-domain items and n of each kind, no two with the same number."""
    found = []
    for place, kind in enumerate(("home", *kinds)):
        for number in range(start + place * n, start + (place + 1) * n):
            example = Example.of(f"{kind} {number}", gold=("negative", "positive")[number % 2] if gold else None)
            found.append(example if kind == "home" else example.within(kind))
    return found


def run(model, data, *, seed=0, **parameters):
    probe = OutOfDistribution(**{"resamples": 300, **parameters})
    return list(probe.run(model, data, Context(probe="shift.ood", seed=seed)))


def numbers(records, name="auroc", domain="tweets"):
    return {
        record.slice["score"]: record.estimate
        for record in records
        if isinstance(record, Measurement) and record.name == name and record.slice["domain"] == domain
    }


def test_a_model_that_knows_what_it_does_not_know_and_its_twin_that_does_not():
    kinds = ("tweets",)
    knows = numbers(run(Noticing(doubts=kinds, moves=kinds), items()))
    twin = numbers(run(Noticing(), items()))
    assert knows.keys() == twin.keys() == NAMES
    for name in NAMES:
        assert knows[name].low > 0.8
        assert twin[name].low <= 0.5 <= twin[name].high


def test_each_score_sees_only_what_it_looks_at():
    unsure = numbers(run(Noticing(doubts=("tweets",)), items()))
    moved = numbers(run(Noticing(moves=("tweets",)), items()))
    assert unsure["confidence"].low > 0.8
    assert unsure["neighbours"].low <= 0.5 <= unsure["neighbours"].high
    assert moved["mahalanobis"].low > 0.8
    assert moved["confidence"].low <= 0.5 <= moved["confidence"].high


def test_every_domain_on_its_own():
    records = run(Noticing(moves=("reviews",)), items(kinds=("reviews", "tweets")))
    assert numbers(records, domain="reviews")["mahalanobis"].low > 0.8
    assert numbers(records, domain="tweets")["mahalanobis"].high < 0.7


def test_false_alarms_and_precision_agree_with_the_auroc():
    records = run(Noticing(moves=("tweets",)), items())
    assert numbers(records, "fpr_at_95_tpr")["mahalanobis"].high < 0.5
    assert numbers(records, "aupr")["mahalanobis"].low > 0.8
    assert numbers(records, "fpr_at_95_tpr")["confidence"].value > 0.8
    assert 0.4 < numbers(records, "aupr")["confidence"].value < 0.65
    (prevalence,) = (r for r in records if isinstance(r, Measurement) and r.name == "prevalence")
    assert prevalence.estimate.value == 0.5
    assert all("by chance 0.50" in r.title for r in records if isinstance(r, Measurement) and r.name == "aupr")


def test_splits_of_one_domain_are_called_different_about_as_often_as_stated():
    """60 splits, embeddings wider than half the items are many; more than 9 misses have probability 0.0006 at 5 %."""
    missed = dict.fromkeys(NAMES, 0)
    for seed in range(60):
        for name, found in numbers(run(Noticing(seed=seed), items(64, start=0), seed=seed, resamples=200)).items():
            missed[name] += not found.low <= 0.5 <= found.high
    assert max(missed.values()) <= 9


def test_in_domain_items_are_never_measured_by_what_they_took_part_in():
    """Were they, the in-domain half would look far more familiar than fresh items of the same kind."""
    model, data = Noticing(), items(100)
    for name in ("mahalanobis", "neighbours"):
        found = numbers(run(model, data))[name]
        assert found.n == 150  # half of the in-domain items, and the others
        assert found.value < 0.62


def test_texts_of_another_kind_that_are_also_in_domain_are_left_out_of_distances():
    data = items(120)
    twins = [Example.of(e.text, gold=e.gold).within("tweets") for e in data[:60]]
    found = numbers(run(Noticing(), [*data[:120], *data[120:200], *twins]))
    halved = sum(1 for _ in twins) - (found["neighbours"].n - 60 - 80)
    assert found["confidence"].n == 120 + 80 + 60
    assert 15 < halved < 45


def test_class_means_only_with_labels():
    def title(data):
        return next(r.title for r in run(Noticing(), data) if getattr(r, "slice", {}).get("score") == "mahalanobis")

    assert "nearest mean of an in-domain label" in title(items())
    assert "the in-domain mean" in title(items(gold=False))
    partly = [replace(e, gold=None) if at == 3 else e for at, e in enumerate(items())]
    assert "in-domain" in title(partly)
    rare = [replace(e, gold="negative") if at > 5 else e for at, e in enumerate(items())]
    assert "the in-domain mean" in title(rare)


def test_both_questions_are_asked_once_for_all_domains():
    model = Noticing()
    run(model, items(kinds=("reviews", "tweets")))
    assert model.asked == ["classify", "embed"]


def test_a_model_without_embeddings_keeps_the_scores_from_answers():
    card = model_card().model_copy(update={"capabilities": frozenset({Capability.CLASSIFY})})
    records = run(Noticing(card=card), items())
    assert numbers(records).keys() == NAMES - {"mahalanobis", "neighbours"}
    lacking = [r for r in records if isinstance(r, Skip)]
    assert {skip.slice["score"] for skip in lacking} == {"mahalanobis", "neighbours"}
    assert {skip.reason for skip in lacking} == {SkipReason.NO_CAPABILITY}


def test_a_regression_keeps_the_distances():
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    data = [replace(example, gold=0.5) for example in items()]
    records = run(Noticing(card=card), data)
    assert numbers(records).keys() == {"mahalanobis", "neighbours"}
    assert {r.slice["score"] for r in records if isinstance(r, Skip)} == NAMES - {"mahalanobis", "neighbours"}
    assert [r for r in records if isinstance(r, Evidence)]


def test_label_sets_are_measured():
    card = model_card(labels=("a", "b", "c"), problem=ProblemType.MULTI_LABEL)
    data = [replace(example, gold=("a",)) for example in items()]
    assert numbers(run(Noticing(doubts=("tweets",), card=card), data))["confidence"].low > 0.8


def test_small_domains_and_no_domains_are_a_reason():
    few = run(Noticing(), [e for e in items() if e.domain == "" or int(e.text.split()[1]) < 140])
    assert not numbers(few)
    assert [skip.reason for skip in few if isinstance(skip, Skip)] == [SkipReason.TOO_FEW]
    none = run(Noticing(), items(kinds=()))
    assert [skip.reason for skip in none if isinstance(skip, Skip)] == [SkipReason.NO_DOMAINS]
    assert [skip.reason for skip in run(Noticing(), []) if isinstance(skip, Skip)] == [SkipReason.NO_DOMAINS]


def test_distances_need_twice_as_many_in_domain_items():
    records = run(Noticing(), items(40))
    assert numbers(records).keys() == NAMES - {"mahalanobis", "neighbours"}
    details = [skip.detail for skip in records if isinstance(skip, Skip)]
    assert len(details) == 6
    assert all("20 independent texts of one side" in detail for detail in details)


def test_a_domain_that_is_the_in_domain_data_is_said_so():
    data = items(kinds=())
    records = run(Noticing(), [*data, *(example.within("copy") for example in data)])
    assert [skip.reason for skip in records if isinstance(skip, Skip)] == [SkipReason.UNDEFINED]
    assert not [r for r in records if isinstance(r, Measurement)]


def test_answers_that_are_not_finite_are_counted_and_not_scored():
    class Broken(Noticing):
        def classify(self, texts):
            found = super().classify(texts)
            found.logits[:3] = np.nan
            return found

    records = run(Broken(), items())
    home = next(r for r in records if isinstance(r, Accounting) and r.slice["domain"] == HOME)
    assert (home.eligible, home.scored, home.unscored) == (120, 117, 3)
    assert "3" in home.note
    assert numbers(records)["confidence"].n == 237


def test_evidence_shows_the_texts_of_other_kinds_that_look_most_familiar():
    records = run(Noticing(), items())
    cases = [record for record in records if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    worst = cases[3:]
    assert {case.slice["domain"] for case in worst} == {"tweets"}
    confidence = [case.shown[0].confidence for case in worst]
    assert confidence == sorted(confidence, reverse=True)


def test_parameters_that_make_no_sense_are_refused():
    with pytest.raises(UsageError):
        OutOfDistribution(neighbours=0)


def test_the_order_of_the_rows_changes_nothing():
    data = items(kinds=("reviews", "tweets"))
    assert run(Noticing(moves=("tweets",)), data) == run(Noticing(moves=("tweets",)), data[::-1])
