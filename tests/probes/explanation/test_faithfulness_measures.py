"""The pure functions behind `explanation.faithfulness`, against closed forms, scipy and captum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, softmax
from scipy.stats import spearmanr

from probes.core.answers import Classifications, ProblemType
from probes.core.attributions import Attribution, Baseline
from probes.core.stats.derived import UnmeasurableError
from probes.core.words import spans, without
from probes.explanation.explained import target_scores
from probes.explanation.faithfulness.agreement import common, overlap, rank_correlation, similarity, top
from probes.explanation.faithfulness.infidelity import infidelity, max_sensitivity, relative_delta, upper_quantile
from probes.explanation.faithfulness.removal import Drops, ask, counts, log_odds, measure_of, ranked, why_not
from probes.explanation.faithfulness.scored import Why, account, left_out, mean, minus, scored
from tests.linear_model import LinearModel

WEIGHTS = {"a": 3.0, "b": 1.0, "c": 0.5, "d": -0.5, "e": 0.25, "f": 0.0, "g": -1.0, "h": 0.1, "i": 0.2, "j": 0.3}
TEXT = "a b c d e f g h i j"


def explained(text="x y z w", scores=(3.0, 1.0, -2.0, 0.0), *, target="positive", output=1.0, baseline=0.0):
    return Attribution(
        text=text,
        target=target,
        words=spans(text),
        scores=np.array(scores, dtype=float),
        special=0.0,
        output=output,
        baseline=Baseline.PAD,
        baseline_output=baseline,
    )


def removed(model, texts, targets, *, order=None):
    """One ranking: by falling score, unless given."""
    found = model.attribute(texts, targets)
    orders = order or [ranked(each.scores, np.random.default_rng(0)) for each in found]
    [only] = ask(model, model.classify(texts), found, [orders])
    return found, only


@pytest.mark.parametrize(("words", "expected"), [(2, (1, 1, 1, 1)), (10, (1, 1, 2, 5)), (20, (1, 2, 4, 10))])
def test_shares_are_rounded_up_and_never_the_whole_text(words, expected):
    assert counts(words) == expected


def test_counts_are_the_exact_ceilings():
    for words in range(2, 500):
        assert counts(words) == (-(-words // 20), -(-words // 10), -(-words // 5), -(-words // 2))
        assert counts(words)[-1] < words


def test_ranking_puts_equal_words_in_random_order():
    scores = np.array([0.0, 5.0, 0.0, 0.0, 0.0])
    orders = {tuple(ranked(scores, np.random.default_rng(seed))) for seed in range(50)}
    assert all(order[0] == 1 for order in orders)
    assert len(orders) > 10


def test_drops_are_the_closed_form_of_a_linear_model():
    model = LinearModel(WEIGHTS, bias=-0.7)
    _, only = removed(model, [TEXT], ["positive"])
    falling = sorted(WEIGHTS.values(), reverse=True)
    whole = sum(falling) - 0.7
    gone = [sum(falling[:count]) for count in (1, 1, 2, 5)]
    expected = [expit(whole) - expit(whole - part) for part in gone]
    assert only.comprehensiveness(target_scores)[0] == pytest.approx(expected, abs=1e-12)
    expected = [expit(whole) - expit(part - 0.7) for part in gone]
    assert only.sufficiency(target_scores)[0] == pytest.approx(expected, abs=1e-12)
    # With two labels of which one is constant the log-odds are the logit, so the drop is the weight taken out.
    assert only.comprehensiveness(log_odds)[0] == pytest.approx(gone, abs=1e-12)
    drops = Drops.of("x", [only], measure=target_scores, why=[None])
    assert drops.aopc(drops.log_odds) == [pytest.approx(sum(gone) / 4, abs=1e-12)]


def test_log_odds_of_several_labels_equal_those_of_the_probability_and_stay_finite():
    logits = np.array([[1.0, 2.0, -1.0], [0.3, 0.1, 0.2]])
    answers = Classifications(logits=logits, labels=("a", "b", "c"), problem=ProblemType.SINGLE_LABEL)
    p = softmax(logits, axis=1)[[0, 1], [1, 2]]
    assert log_odds(answers, ["b", "c"]) == pytest.approx(np.log(p / (1 - p)), abs=1e-12)
    certain = Classifications(logits=np.array([[0.0, 900.0]]), labels=("a", "b"), problem=ProblemType.SINGLE_LABEL)
    assert log_odds(certain, ["b"])[0] == 900
    several = Classifications(logits=logits, labels=("a", "b", "c"), problem=ProblemType.MULTI_LABEL)
    assert log_odds(several, ["b", "c"]).tolist() == [2.0, 0.2]


def test_words_beyond_the_limit_are_gone_from_every_variant():
    model = LinearModel(WEIGHTS)
    whole = model.attribute([TEXT], ["positive"])[0]
    cut = replace(whole, words=whole.words[:4], scores=whole.scores[:4])
    ask(model, model.classify([TEXT]), [cut], [[ranked(cut.scores, np.random.default_rng(0))]])
    asked = model.asked[1:]
    assert asked[0] == "b c d"
    assert asked[4] == "a"
    assert not any(word in text for text in asked for word in "efghij")


def test_both_texts_of_a_pair_lose_words():
    model = LinearModel({"good": 3.0, "fine": 2.0})
    removed(model, [("good film", "fine plot indeed")], ["positive"])
    # Five words: 1, 1, 1 and 3 of them go, then stay.
    assert model.asked[-8] == ("film", "fine plot indeed")
    assert model.asked[-4] == ("good", "…")


def test_weights_and_changes_of_the_same_variants_agree_for_exact_scores():
    model = LinearModel(WEIGHTS, symmetric=True)
    order = [np.random.default_rng(1).permutation(10)]
    found, only = removed(model, [TEXT], ["negative"], order=order)
    assert only.weights([found[0].scores]) == pytest.approx(only.changes(), abs=1e-12)


def test_regression_drops_are_in_standard_deviations():
    values = np.array([[1.0], [3.0], [5.0]])
    answers = Classifications(logits=values, labels=("score",), problem=ProblemType.REGRESSION)
    assert measure_of(answers)(answers, ["score"] * 3) == pytest.approx(values[:, 0] / values.std())
    same = Classifications(logits=np.ones((3, 1)), labels=("score",), problem=ProblemType.REGRESSION)
    assert why_not([explained()] * 3, same) == [Why.NO_SCALE] * 3
    assert np.isnan(measure_of(same)(same, ["score"] * 3)).all()


def test_what_cannot_be_ranked_says_why():
    answers = Classifications(logits=np.zeros((1, 2)), labels=("a", "b"), problem=ProblemType.SINGLE_LABEL)
    cases = {
        Why.ONE_WORD: explained("x", [1.0]),
        Why.NO_RANKING: explained("x y", [2.0, 2.0]),
        Why.NOT_FINITE: explained("x y", [2.0, np.nan]),
        None: explained(),
    }
    for why, each in cases.items():
        assert why_not([each], answers) == [why]


def test_infidelity_is_0_for_exact_scores_on_any_scale_and_1_for_none():
    changes = np.random.default_rng(0).normal(size=20)
    assert infidelity(changes, changes) == 0
    assert infidelity(7 * changes, changes) == pytest.approx(0, abs=1e-12)
    assert infidelity(np.zeros(20), changes) == 1
    assert infidelity(-changes, changes) == 1, "turned round is no better than nothing"


def test_infidelity_lies_between_and_is_one_minus_the_squared_cosine():
    rng = np.random.default_rng(0)
    changes = rng.normal(size=20)
    weights = changes + rng.normal(size=20)
    cosine = weights @ changes / np.linalg.norm(weights) / np.linalg.norm(changes)
    assert infidelity(weights, changes) == pytest.approx(1 - cosine**2)


def test_infidelity_without_a_change_or_a_number_is_undefined():
    assert infidelity(np.ones(5), np.zeros(5)) is Why.NO_CHANGE
    assert infidelity(np.ones(5), np.full(5, 1e-7), noise=1e-5) is Why.NO_CHANGE
    assert infidelity(np.ones(5), np.array([1, 2, np.nan, 0, 0])) is Why.NOT_FINITE


def test_infidelity_equals_captum():
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("captum.metrics")
    inputs = torch.ones(1, 6, dtype=torch.float64)
    rng = np.random.default_rng(3)
    masks = torch.tensor(rng.integers(0, 2, size=(64, 6)), dtype=torch.float64)
    scores = torch.tensor([[2.0, -1.0, 0.5, 1.5, 0.0, 0.3]], dtype=torch.float64)

    def forward(x):
        return 2 * x[:, 0] - x[:, 1] + x[:, 2] * x[:, 3] + 0.3 * x[:, 5] ** 2

    drawn = iter(masks)

    def perturb(x):
        mask = torch.stack([next(drawn) for _ in range(len(x))])
        return mask, x - mask * x

    theirs = metrics.infidelity(forward, perturb, inputs, scores, n_perturb_samples=64, normalize=True).item()
    changes = (forward(inputs) - forward(inputs - masks)).numpy()
    weights = (masks * scores).sum(dim=1).numpy()
    assert infidelity(weights, changes) == pytest.approx(theirs / np.square(changes).mean(), rel=1e-9)
    assert 0.01 < infidelity(weights, changes) < 0.9


def test_max_sensitivity_is_the_furthest_move_in_lengths_of_the_scores():
    own = explained("x y", [3.0, 4.0])
    moved = [explained("x y", [3.0, 5.0]), explained("x y", [6.0, 8.0])]
    assert max_sensitivity(own, moved) == 1
    assert max_sensitivity(own, moved[:1]) == pytest.approx(0.2)
    assert max_sensitivity(explained("x y", [0.0, 0.0]), moved) is Why.NO_WEIGHT
    assert max_sensitivity(own, [explained("x y z", [0.0, 0.0, 1.0])]) is Why.OTHER_WORDS


def test_relative_delta_where_there_is_none():
    assert relative_delta(explained(scores=[1.0, 1.0, 0.0, 0.0], output=2.5, baseline=0.5)) == 0
    assert relative_delta(explained(scores=[1.0, 1.0, 0.0, 0.2], output=2.5, baseline=0.5)) == pytest.approx(0.1)
    assert relative_delta(explained(output=1.0, baseline=1.0)) is Why.NO_DELTA
    assert relative_delta(replace(explained(), baseline_output=None)) is Why.NO_DELTA


def test_upper_quantile_is_numpys_inverted_cdf_for_any_weights():
    rng = np.random.default_rng(0)
    values = rng.normal(size=37)
    weights = rng.integers(0, 4, size=(5, 37)).astype(float)
    found = upper_quantile(values, weights, share=0.95)
    for row, value in zip(weights, found, strict=True):
        repeated = np.repeat(values, row.astype(int))
        assert value == np.quantile(repeated, 0.95, method="inverted_cdf")


@pytest.mark.parametrize("seed", range(5))
def test_rank_correlation_equals_scipy_with_ties(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 5, size=(2, 12)).astype(float)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)


def test_rank_correlation_is_undefined_for_few_or_equal_values():
    three = np.arange(3.0)
    assert rank_correlation(three[:2], three[:2]) is Why.FEW_WORDS
    assert rank_correlation(three, np.zeros(3)) is Why.NO_RANKING
    assert rank_correlation(three, np.array([0, 1, np.inf])) is Why.NOT_FINITE
    assert rank_correlation(three, -three) == -1


def test_similarity_compares_the_same_words_only_and_magnitudes_on_request():
    own, turned = explained(), explained(scores=(-3.0, -1.0, 2.0, 0.0))
    assert similarity(own, turned) == -1
    assert similarity(own, turned, magnitude=True) == 1
    assert similarity(own, explained("x y z", (1.0, 2.0, 3.0))) is Why.OTHER_WORDS


def test_overlap_of_top_words():
    text = " ".join("abcdefgh")
    own = explained(text, range(8, 0, -1))
    assert top(8) == 2
    assert overlap(own, own) == 1
    assert overlap(own, explained(text, range(8))) == 0
    assert overlap(own, explained(text, [9, 1, 8, 0, 0, 0, 0, 0])) == 0.5
    assert [top(words) for words in (1, 3, 4, 12, 20, 400)] == [1, 1, 1, 3, 5, 5]


def test_overlap_shares_a_tie_at_the_edge():
    text = " ".join("abcdefgh")
    tied = explained(text, [9, 1, 1, 0, 0, 0, 0, 0])
    assert overlap(tied, tied) == 1
    assert overlap(tied, explained(text, [9, 8, 0, 0, 0, 0, 0, 0])) == pytest.approx(0.75)
    assert overlap(tied, explained(text, np.zeros(8))) is Why.NO_RANKING


def test_common_words_are_matched_in_order_whatever_their_case():
    before = explained("The Film was good", (1.0, 2.0, 3.0, 4.0))
    after = explained("the film, was really good", (10.0, 20.0, 0.0, 30.0, 0.0, 40.0))
    first, second = common(before, after)
    assert first.tolist() == [1, 2, 3, 4]
    assert second.tolist() == [10, 20, 30, 40]


def test_undefined_items_are_counted_and_change_no_number():
    values = [0.5, Why.ONE_WORD, 0.25, Why.ONE_WORD, Why.NO_RANKING]
    assert left_out(values) == "not counted: 1 whose words all weigh the same, 2 with a single word"
    account_ = account("x", values)
    assert (account_.eligible, account_.scored, account_.unscored) == (5, 2, 3)
    assert minus([1.0, Why.ONE_WORD, 2.0], [0.5, 1.0, Why.NO_RANKING]) == [0.5, Why.ONE_WORD, Why.NO_RANKING]
    assert scored(np.array([1.0, np.nan, 3.0]), [None, None, Why.ONE_WORD]) == [1.0, Why.NOT_FINITE, Why.ONE_WORD]
    many = [*np.linspace(0, 1, 12), Why.ONE_WORD]
    keys = [str(row) for row in range(13)]
    estimate = mean(many, clusters=keys, limits=(0.0, 1.0))
    assert (estimate.n, estimate.value) == (12, pytest.approx(0.5))


def test_too_few_texts_or_no_spread_give_no_number():
    with pytest.raises(UnmeasurableError, match="1 independent texts"):
        mean([1.0] * 20, clusters=["same"] * 20)
    with pytest.raises(UnmeasurableError, match="same value"):
        mean([1.0] * 20, clusters=[str(row) for row in range(20)])


def test_no_variant_is_empty():
    assert without("one", set(spans("one"))) == "…"
