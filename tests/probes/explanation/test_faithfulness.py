"""`explanation.faithfulness` on models whose explanations are known to be right, wrong, or of nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import expit

from probes.core.answers import Classifications, ProblemType
from probes.core.attributions import GRADIENT, Method
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import (
    Accounting,
    Curve,
    Evidence,
    Measurement,
    Outcomes,
    Skip,
    SkipReason,
    from_line,
    to_line,
)
from probes.core.rng import generator
from probes.core.words import spans, word
from probes.explanation.explained import Explained
from probes.explanation.faithfulness.cases import cases
from probes.explanation.faithfulness.probe import Faithfulness
from probes.explanation.method import named
from tests.linear_model import LinearModel, explainable_card
from tests.probes.explanation.indifferent_model import Indifferent

VOCABULARY = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("a", "elo", "iro", "un")]


def weights():
    """A few words weigh much, as in a trained model."""
    rng = np.random.default_rng(0)
    return dict(zip(VOCABULARY, rng.standard_t(2, size=len(VOCABULARY)).tolist(), strict=True))


def texts(count=40, words=12, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(VOCABULARY, size=words, replace=False)) for _ in range(count)]


def examples(count=40, words=12):
    return [
        Example.of(text, gold="positive" if row % 2 else "negative") for row, text in enumerate(texts(count, words))
    ]


@dataclass
class Run:
    records: list

    def of(self, kind):
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def values(self):
        return {record.key: record.estimate for record in self.of(Measurement)}

    def __getitem__(self, key):
        return self.values[key].value


def run(model, data, **parameters):
    probe = Faithfulness(**{"resamples": 200, **parameters})
    return Run(list(probe.run(model, data, Context(probe="explanation.faithfulness"))))


class Counting(LinearModel):
    """Counts the bulks, and refuses to be asked while a random copy is in use."""

    calls: int = 0
    busy: bool = False

    def classify(self, texts):
        assert not self.busy
        self.calls += 1
        return super().classify(texts)

    def attribute(self, texts, targets, **how):
        assert not self.busy
        assert how.get("jitter") is None or how["method"] in GRADIENT
        self.calls += 1
        return super().attribute(texts, targets, **how)

    @contextmanager
    def randomised(self, share, *, seed):
        with super().randomised(share, seed=seed) as copy:
            self.busy = True
            yield LinearModel(copy.weights, symmetric=self.symmetric, random_seed=copy.random_seed)
        self.busy = False


class Shuffled(LinearModel):
    """Explains with the right scores on the wrong words."""

    def _attribution(self, text, target, *how):
        found = super()._attribution(text, target, *how)
        return replace(found, scores=generator(0, str(text)).permutation(found.scores))


class Stubborn(LinearModel):
    """Its explanations have nothing to do with its weights: they mark long words at the end of the text."""

    def _attribution(self, text, target, *how):
        found = super()._attribution(text, target, *how)
        scores = np.array([place + len(word(text, span)) / 10 for place, span in enumerate(found.words)])
        return replace(found, scores=scores)


class Small(LinearModel):
    """Random weights of its copies are small, as those of a network before training are."""

    def weight(self, name):
        return super().weight(name) * (0.02 if self.random_seed is not None else 1.0)


@dataclass
class Several(LinearModel):
    """One logit for each label, as a regression or a multi-label head has; the last one holds the words."""

    def classify(self, texts):
        sums = [self.bias + sum(self.weight(word(text, span)) for span in spans(text)) for text in texts]
        logits = np.full((len(texts), len(self.card.labels)), -3.0)
        logits[:, -1] = sums
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)

    def _attribution(self, text, target, *how):
        found = (
            super()._attribution(text, self.card.labels[1], *how)
            if len(self.card.labels) > 1
            else self._only(text, *how)
        )
        return found if target == self.card.labels[-1] else replace(found, target=target, scores=0 * found.scores)

    def _only(self, text, *how):
        two = replace(self, card=explainable_card())
        return replace(two._attribution(text, "positive", *how), target=self.card.labels[0])


@pytest.fixture(scope="module")
def sound():
    return run(Counting(weights(), symmetric=True), examples())


def test_values_are_the_closed_form(sound):
    known, drops, left = weights(), [], []
    for text in texts():
        own = [known[name] for name in text.split()]
        sign = 1 if sum(own) > 0 else -1
        order = sorted((sign * value for value in own), reverse=True)
        whole = expit(sum(order))
        gone = [sum(order[:count]) for count in (1, 2, 3, 6)]
        drops.append(np.mean([whole - expit(sum(order) - part) for part in gone]))
        left.append(np.mean([whole - expit(part) for part in gone]))
    assert sound["comprehensiveness"] == pytest.approx(np.mean(drops), abs=1e-9)
    assert sound["sufficiency"] == pytest.approx(np.mean(left), abs=1e-9)
    scores = [value for outcomes in sound.of(Outcomes) for value in outcomes.score]
    assert sorted(scores) == pytest.approx(sorted(drops), abs=1e-9)


def test_exact_explanations_are_better_than_chance_and_perfect_where_they_can_be(sound):
    assert sound.values["comprehensiveness_over_random"].low > 0.1
    assert sound.values["sufficiency_over_random"].low > 0.1
    assert sound.values["log_odds_drop_over_random"].low > 0.5
    assert sound["comprehensiveness_over_second"] == 0
    assert sound["infidelity"] == 0
    assert sound["converged"] == 1
    assert sound["agreement"] == sound["overlap"] == 1
    assert sound["stability"] > 0.99
    assert 0 < sound["max_sensitivity"] < 0.1
    assert abs(sound["randomised_similarity"]) < 0.2


def test_every_promised_number_is_there(sound):
    shares = ("5%", "10%", "20%", "50%")
    expected = {
        f"{name}{part}"
        for name, axis in (("comprehensiveness", "removed"), ("sufficiency", "kept"), ("log_odds_drop", "removed"))
        for part in ("", "[ranking=chance]", "[ranking=leaving one word out]", *(f"[{axis}={k}]" for k in shares))
    }
    expected |= {"comprehensiveness_over_randomised", "overlap_over_chance", "stability[edit=stray punctuation]"}
    assert expected <= sound.values.keys()
    for estimate in sound.values.values():
        assert estimate.tail(0.05).low <= estimate.value <= estimate.tail(0.05).high
        assert estimate.high > estimate.low


def test_an_edit_that_finds_nothing_says_so(sound):
    [skip] = [skip for skip in sound.of(Skip) if skip.slice.get("edit") == "contractions"]
    assert skip.reason is SkipReason.NOTHING_PERTURBED


def test_curves_share_a_name_and_start_where_nothing_is_removed(sound):
    removal = [curve for curve in sound.of(Curve) if curve.name == "comprehensiveness"]
    assert [curve.slice["ranking"] for curve in removal] == ["integrated gradients", "chance", "leaving one word out"]
    assert {(curve.title, curve.x_title, curve.y_title) for curve in removal} == {
        (removal[0].title, removal[0].x_title, removal[0].y_title)
    }
    for curve in removal:
        assert [point.x for point in curve.points] == [0, 5, 10, 20, 50]
        assert curve.points[0].y.value == 0
    assert [curve.points[0].x for curve in sound.of(Curve) if curve.name == "sufficiency"] == [5, 5, 5]
    [cascade] = [curve for curve in sound.of(Curve) if curve.name == "randomised_similarity"]
    assert [point.label for point in cascade.points] == ["output layer", "upper half", "all layers"]
    assert cascade.points[0].y.value == 1, "a linear model has no head of its own"
    assert cascade.points[2].y.value == sound["randomised_similarity"] < 0.2


def test_asks_in_bulk_explains_all_once_and_a_few_again():
    model = Counting(weights(), symmetric=True)
    run(model, examples(), few=12)
    assert model.calls <= 20
    whole = [entry for entry in model.explained if entry[2] is Method.FEATURE_ABLATION]
    assert len(whole) == 40
    again = len(model.explained) - 2 * 40
    assert again <= 12 * (2 + 2 + 3), "two draws of noise, edits, and copies that are asked elsewhere"


def test_a_shuffled_explanation_is_no_better_than_chance():
    made = run(Shuffled(weights(), symmetric=True), examples(100))
    assert abs(made["comprehensiveness_over_random"]) < 0.05
    assert made["infidelity"] > 0.5
    assert made["randomised_similarity"] < 0.3
    assert len([case for case in made.of(Evidence) if case.chosen == "worst"]) == 5


def test_explanations_that_ignore_the_weights_survive_randomisation():
    made = run(Stubborn(weights(), symmetric=True), examples())
    assert made["randomised_similarity"] == pytest.approx(1)
    assert made.values["comprehensiveness_over_random"].low < 0.05


def test_a_trained_model_exceeds_its_random_copy_and_an_untrained_one_does_not():
    trained = run(Small(weights(), symmetric=True), examples())
    assert trained.values["comprehensiveness_over_randomised"].low > 0.05
    start = dict(zip(VOCABULARY, (0.02 * np.random.default_rng(1).normal(size=len(VOCABULARY))).tolist(), strict=True))
    untrained = run(Small(start, symmetric=True), examples())
    assert untrained["comprehensiveness_over_randomised"] == pytest.approx(0, abs=0.02)
    assert untrained.values["comprehensiveness_over_randomised"].high < 0.05


def test_order_of_rows_has_no_influence(sound):
    again = run(LinearModel(weights(), symmetric=True), examples()[::-1])
    assert again.values.keys() == sound.values.keys()
    for key, estimate in again.values.items():
        assert estimate == sound.values[key]


def test_records_survive_json(sound):
    for record in sound.records:
        if not isinstance(record, Outcomes):
            assert from_line(to_line(record)) == record


def test_random_cases_come_first_and_show_weights(sound):
    chosen = [case.chosen for case in sound.of(Evidence)]
    assert chosen[:3] == ["random"] * 3
    assert chosen == sorted(chosen)
    assert all(len(case.shown[0].words) == 12 for case in sound.of(Evidence))


def test_a_drop_of_nothing_has_no_sign():
    items = Explained.ask(LinearModel(weights(), symmetric=True), examples(1), method=Method.INTEGRATED_GRADIENTS)
    [case] = cases(items, [-1e-9], [1e-9], Context(probe="explanation.faithfulness"))
    assert case.note.endswith("its probability falls by 0.000, 0.000 more than without random words")


def test_undefined_texts_are_counted_not_scored():
    """Towards the constant logit no word has a score, and one word alone cannot be ranked."""
    model = LinearModel({**weights(), "bad": -50.0})
    data = [*examples(30), *(Example.of(f"bad {text}") for text in texts(20)), Example.of("belo"), Example.of("?")]
    made = run(model, data)
    [account] = [each for each in made.of(Accounting) if each.slice == {"kind": "words taken out"}]
    assert account.eligible == 52
    assert account.unscored >= 22
    assert "whose words all weigh the same" in account.note
    assert "with a single word" in account.note
    assert made.values["comprehensiveness"].n == account.scored
    [outcomes] = made.of(Outcomes)
    assert outcomes.score.count(None) == account.unscored


def test_answers_that_change_with_an_edit_are_counted():
    @dataclass
    class Cased(LinearModel):
        def classify(self, texts):
            found = super().classify(texts)
            flip = np.array([str(text).islower() for text in texts])
            return replace(found, logits=np.where(flip[:, None], -found.logits, found.logits))

    data = [Example.of(example.text.capitalize()) for example in examples()]
    made = run(Cased(weights(), symmetric=True), data, edits=("lower_case",))
    [account] = [each for each in made.of(Accounting) if each.slice == {"edit": "no capitals"}]
    assert account.perturbed == account.unscored == 24
    assert account.scored == 0
    assert "whose answer changed" in account.note
    assert "stability" not in made.values


def test_an_edit_that_the_model_does_not_see_is_no_sign_of_stability():
    data = [Example.of(example.text.capitalize()) for example in examples()]
    made = run(LinearModel(weights(), symmetric=True), data, edits=("lower_case",))
    [account] = [each for each in made.of(Accounting) if each.slice == {"edit": "no capitals"}]
    assert (account.scored, account.unscored) == (0, 24)
    assert "that the model reads as before" in account.note
    assert "stability" not in made.values


def test_no_item_and_one_item():
    for data in ([], examples(1)):
        made = run(LinearModel(weights(), symmetric=True), data)
        assert made.of(Accounting)
        assert made.of(Skip)
        assert not made.values


def test_pairs_are_explained_over_both_texts():
    data = [Example.of((first, second)) for first, second in zip(texts(30, 5), texts(30, 6, seed=1), strict=True)]
    made = run(LinearModel(weights(), symmetric=True), data)
    assert made.values["comprehensiveness_over_random"].low > 0
    assert made["infidelity"] == 0
    assert {len(case.shown[0].texts) for case in made.of(Evidence)} == {2}


def test_regression_drops_in_standard_deviations():
    card = explainable_card().model_copy(update={"labels": ("score",), "problem": ProblemType.REGRESSION})
    made = run(Several(weights(), card=card), [replace(example, gold=1.5) for example in examples()])
    known = weights()
    own = np.array([[known[name] for name in text.split()] for text in texts()])
    falling = -np.sort(-own, axis=1)
    gone = np.stack([falling[:, :count].sum(axis=1) for count in (1, 2, 3, 6)], axis=1)
    assert made["comprehensiveness"] == pytest.approx(gone.mean() / own.sum(axis=1).std(), abs=1e-9)
    assert [skip.reason for skip in made.of(Skip) if skip.name == "log_odds_drop"] == [SkipReason.WRONG_PROBLEM]
    assert made.of(Outcomes)[0].correct == [None] * 40


def test_several_labels_use_the_probability_of_the_target():
    card = explainable_card().model_copy(update={"labels": ("rude", "loud"), "problem": ProblemType.MULTI_LABEL})
    data = [Example.of(text, gold=("loud",)) for text in texts()]
    made = run(Several(weights(), bias=60.0, other=0.0, card=card), data)
    known = weights()
    drops = []
    for text in texts():
        order = sorted((known[name] for name in text.split()), reverse=True)
        whole = 60 + sum(order)
        drops.append(np.mean([expit(whole) - expit(whole - sum(order[:count])) for count in (1, 2, 3, 6)]))
    assert made["comprehensiveness"] == pytest.approx(np.mean(drops), abs=1e-9)
    assert made["log_odds_drop"] > 0


def test_another_method_stands_in_and_says_so():
    card = explainable_card().model_copy(update={"unattributable": dict.fromkeys(GRADIENT, "no gradients")})
    made = run(LinearModel(weights(), symmetric=True, card=card), examples())
    note = "explained by leaving one word out, because the network does not allow integrated gradients"
    assert note in made.of(Accounting)[0].note
    skipped = {skip.name: skip.reason for skip in made.of(Skip)}
    assert skipped["max_sensitivity"] is SkipReason.NO_CAPABILITY
    assert "converged" in skipped
    assert made["comprehensiveness_over_random"] > 0


def test_without_any_method_nothing_is_asked():
    card = explainable_card().model_copy(update={"unattributable": dict.fromkeys(Method, "closed")})
    model = LinearModel(weights(), card=card)
    made = run(model, examples())
    assert [skip.reason for skip in made.of(Skip)] == [SkipReason.NO_CAPABILITY]
    assert made.of(Accounting)[0].unscored == 40
    assert not model.asked


def test_without_a_second_method_the_rest_is_measured():
    one = {method: "closed" for method in Method if method is not Method.INTEGRATED_GRADIENTS}
    card = explainable_card().model_copy(update={"unattributable": one})
    made = run(LinearModel(weights(), symmetric=True, card=card), examples())
    assert "agreement" in {skip.name for skip in made.of(Skip)}
    assert "comprehensiveness_over_second" not in made.values
    assert made["comprehensiveness_over_random"] > 0


def test_an_answer_that_is_no_number_is_counted():
    class Broken(LinearModel):
        """Cannot answer a single word."""

        def classify(self, texts):
            found = super().classify(texts)
            alone = np.array([len(spans(text)) == 1 for text in texts])
            return replace(found, logits=np.where(alone[:, None], np.nan, found.logits))

    made = run(Broken(weights(), symmetric=True), examples())
    assert made.values["comprehensiveness"].n == 40
    assert "sufficiency" not in made.values
    [skip] = [each for each in made.of(Skip) if each.name == "sufficiency" and not each.slice]
    assert "40 with a score or an answer that is no number" in skip.detail


def test_a_model_that_answers_nothing_gets_no_number():
    made = run(Indifferent({}, card=explainable_card()), examples())
    assert not made.values
    assert made.of(Skip)


def test_duplicated_texts_count_as_one_cluster():
    twice = [Example.of(text, gold=gold) for text in texts(20) for gold in ("positive", "negative")]
    made = run(LinearModel(weights(), symmetric=True), twice)
    assert (made.values["comprehensiveness"].n, made.values["comprehensiveness"].clusters) == (40, 20)


@pytest.mark.parametrize(
    "parameters",
    [{"few": 0}, {"radius": 0.0}, {"edits": ("typos",)}, {"method": "tea_leaves"}, {"draws": 0}, {"noises": 0}],
)
def test_wrong_parameters_are_the_users_error(parameters):
    with pytest.raises(UsageError):
        Faithfulness(**parameters)


def test_parameters_as_read_from_yaml():
    probe = Faithfulness(method="saliency", edits=["lower_case"])
    assert probe.method is Method.SALIENCY
    assert probe.edits == ("lower_case",)
    assert named(probe.method) == "saliency"


def test_documentation_says_what_it_is_not():
    doc = Faithfulness.info.doc
    assert doc.question.endswith("?")
    assert "not causal" in doc.limits
    assert "given to a person" in doc.limits


def test_a_method_is_never_compared_with_its_own_numbers_under_another_name():
    model = LinearModel(weights(), symmetric=True, card=explainable_card())
    run(model, examples(), method=Method.OCCLUSION)
    assert {method for _, _, method in model.explained} == {Method.OCCLUSION, Method.INTEGRATED_GRADIENTS}
