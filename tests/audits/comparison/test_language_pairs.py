"""Numbers of language models and generators of two runs: each is paired exactly, or says why it is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from audits.comparison.adjusting import p_value
from audits.comparison.items import MOST_MISSING, Row, of_other_kind
from audits.comparison.pairs import Pairs
from audits.comparison.reasons import NO_PART, NOT_THE_SAME, OTHER_LENGTH, OTHER_TOKENS
from probes.bias.bbq.probe import FORM, Bbq
from probes.bias.fill_in.probe import FillIn
from probes.bias.likelihood.probe import GroupLikelihood
from probes.bias.stereotypes.crows_pairs import CrowsPairs
from probes.bias.stereotypes.stereoset import StereoSet
from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.judges import Judge
from probes.core.likelihoods import Likelihoods
from probes.core.model import ModelCard
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.question_cases import QuestionCase
from probes.core.records import Better, Estimate, Measurement, Outcomes, Unit
from probes.core.stereotype_cases import Association, SentencePair
from probes.performance.generation import GenerationQuality
from probes.performance.likelihood import Likelihood
from probes.robustness.format import Format
from probes.robustness.prompts import Prompts
from probes.security.injection import Injection
from probes.security.refusals import Refusals
from probes.shift.perplexity import Perplexity
from probes.toxicity.generations.probe import Generations
from tests.conftest import FakeFiller, FakeGenerator, FakeModel, FakeScorer, generator_card, language_card, model_card
from tests.probes.bias.test_fill_in import filling

WORDS = ("river", "lamp", "quiet", "orange", "walks", "slowly", "window", "seven", "tune", "paper")


def asked(probe, model, data=()):
    """The numbers of a probe, and its outcomes as rows."""
    found = list(probe.run(model, list(data), Context(probe=probe.info.id)))
    (kept,) = (record for record in found if isinstance(record, Outcomes))
    further = [dict(zip(kept.values, row, strict=True)) for row in zip(*kept.values.values(), strict=True)]
    rows = {
        (example, kept.variant[k]): Row(
            kept.cluster[k], kept.variant[k], kept.after[k], kept.before[k], kept.gold[k], kept.correct[k],
            kept.changed[k], None, kept.score[k], further[k] if further else {},
        )
        for k, example in enumerate(kept.example_id)
    }  # fmt: skip
    assert len(rows) == len(kept)
    return {each.key: each for each in found if isinstance(each, Measurement)}, rows


def differences(probe, models, data=(), *, most_missing=0.0):
    """Key -> difference or reason, of all numbers that both models have; each is that of what is published."""
    (old, before), (new, after) = (asked(probe, model, data) for model in models)
    pairs = Pairs(before, after, most_missing)
    found = {key: pairs.difference(old[key], new[key]) for key in old.keys() & new.keys()}
    for key, difference in found.items():
        if isinstance(difference, Estimate) and "score in both" not in difference.method:
            expected = new[key].estimate.value - old[key].estimate.value
            assert difference.value == pytest.approx(expected, abs=1e-9, rel=1e-9), key
    return found


def paired(found):
    return {key for key, difference in found.items() if isinstance(difference, Estimate)}


def scorer(*, unlikely=0.0, noise=0.3, seed=0, card=None, longest=512, cut=False):
    """Finds each word about as likely as another one, less by `unlikely`."""
    drawn = dict(zip(WORDS, noise * np.random.default_rng(seed).normal(size=len(WORDS)), strict=True))
    made = FakeScorer(
        rule=lambda word, how: -3.0 - unlikely + drawn.get(word, 0.0), card=card or language_card(), longest=longest
    )
    return Splitting(made) if cut else made


@dataclass
class Splitting:
    """The same model with another tokenizer: every word is two tokens of half the log-probability."""

    model: FakeScorer

    @property
    def card(self) -> ModelCard:
        return self.model.card

    def score(self, texts, **how):
        found = self.model.score(texts, **how)
        return replace(found, logs=np.repeat(found.logs / 2, 2), ids=np.repeat(found.ids, 2), starts=2 * found.starts)


def texts(n=60, *, domain=""):
    draw = np.random.default_rng(len(domain))
    found = [Example.of(" ".join([*draw.choice(WORDS, size=4 + k % 5), str(k)])) for k in range(n)]
    return [replace(example, domain=domain) for example in found]


def test_perplexities_and_bits_are_paired():
    found = differences(Likelihood(resamples=300), (scorer(), scorer(unlikely=0.4, seed=1)), texts())
    assert paired(found) == {"perplexity", "word_perplexity", "bits_per_byte", "bits_over_frequency"}
    assert found["perplexity"].low > 0
    assert found["bits_over_frequency"].high < 0


def test_pairing_makes_the_interval_short():
    probe, models, data = Likelihood(resamples=300), (scorer(), scorer(unlikely=0.05)), texts()
    found, alone = differences(probe, models, data)["word_perplexity"], asked(probe, models[0], data)[0]
    assert found.high - found.low < 0.2 * (
        alone["word_perplexity"].estimate.high - alone["word_perplexity"].estimate.low
    )


def test_numbers_by_token_are_not_compared_between_tokenizers_and_those_by_word_are():
    found = differences(Likelihood(resamples=300), (scorer(), scorer(unlikely=0.4, cut=True)), texts())
    assert paired(found) == {"word_perplexity", "bits_per_byte"}
    assert found["perplexity"] == found["bits_over_frequency"] == OTHER_TOKENS


def test_nothing_is_compared_of_texts_that_one_of_the_models_read_in_part():
    found = differences(Likelihood(resamples=300), (scorer(), scorer(longest=6)), texts())
    assert set(found.values()) == {OTHER_TOKENS, OTHER_LENGTH}


def test_kinds_of_text_are_compared_apart_and_by_their_ratios():
    data = [*texts(), *texts(domain="mail")]
    found = differences(Perplexity(resamples=300), (scorer(), scorer(unlikely=0.2, seed=2)), data)
    assert paired(found) == {
        "perplexity[domain=in-domain]", "perplexity[domain=mail]", "perplexity_ratio[domain=mail]",
        "word_perplexity_ratio[domain=mail]",
    }  # fmt: skip


def test_pseudo_likelihoods_compare_with_their_like_only():
    masked, causal = language_card(ProblemType.MASKED_LM), language_card()
    assert "not of a kind" in of_other_kind(masked, causal)
    assert of_other_kind(causal, generator_card()) == of_other_kind(masked, masked) == ""
    assert of_other_kind(model_card(), causal) == ""


def test_alike_models_are_seldom_shown_to_differ_in_perplexity():
    shown, of = 0, 100
    for seed in range(of):
        draw = np.random.default_rng(seed)
        made = [
            {
                (str(k), ""): Row(str(k), "", "", None, None, None, None, None, None, values)
                for k, values in enumerate(dict(zip(("bits", "tokens"), each, strict=True)) for each in side)
            }
            for side in _alike(draw)
        ]
        numbers = [measured("perplexity", _perplexity(rows)) for rows in made]
        difference = Pairs(*made).difference(*numbers)
        shown += not difference.low <= 0 <= difference.high
    assert 0 < shown <= 0.11 * of


def _alike(draw):
    """(bits, tokens) of 60 texts under two models that differ by chance."""
    tokens = draw.integers(5, 30, size=60)
    common = draw.normal(5, 1, size=60)
    return [np.column_stack([(common + draw.normal(0, 0.5, size=60)) * tokens, tokens]).tolist() for _ in range(2)]


def _perplexity(rows):
    bits, tokens = (sum(row.values[name] for row in rows.values()) for name in ("bits", "tokens"))
    return 2 ** (bits / tokens)


def measured(name, value):
    estimate = Estimate(value=value, low=value, high=value, n=60, clusters=60, method="m")
    return Measurement(name=name, title=name, estimate=estimate, better=Better.LOWER, unit=Unit.SCORE)


def pairs(n=60):
    return tuple(
        SentencePair(
            more=f"{WORDS[k % 10]} {WORDS[k // 10]} {k}",
            less=f"{WORDS[k // 10 + 1]} {WORDS[(k * 3) % 10]} {k} ",
            parts=(("category", ("age", "race, or colour")[k % 2]),),
            cluster=f"w{k}",
        )
        for k in range(n)
    )


@pytest.mark.parametrize("problem", [ProblemType.CAUSAL_LM, ProblemType.MASKED_LM])
def test_a_share_of_stereotypes_has_the_interval_of_its_pairs(problem):
    models = [scorer(seed=seed, card=language_card(problem)) for seed in (0, 4)]
    probe = CrowsPairs(cases=pairs())
    found = differences(probe, models)
    second = {"aul_stereotype_share", "aula_stereotype_share"} if problem is ProblemType.MASKED_LM else set()
    assert paired(found) == {
        "stereotype_share", "likelihood_difference", "tie_share", "stereotype_share[category=age]", *second
    }  # fmt: skip
    assert found["stereotype_share[category=race, or colour]"] == NO_PART, "a comma parts settings"
    flags = [np.array([row.score > 0 for _, row in sorted(asked(probe, model)[1].items())]) for model in models]
    clusters = [row.cluster for _, row in sorted(asked(probe, models[0])[1].items())]
    assert found["stereotype_share"] == stats.paired_difference(*flags, clusters=clusters)


def associations():
    return tuple(
        Association(
            context=f"The {noun} {k} was BLANK",
            stereotype=f"The {noun} {k} was {WORDS[(k * 7) % 10]}",
            anti=f"The {noun} {k} was {WORDS[(k * 3 + 1) % 10]}",
            unrelated=f"The {noun} {k} was {WORDS[(k + 5) % 10]}",
            target=noun,
            category="age" if at % 2 else "race",
        )
        for at, noun in enumerate(f"noun{place}" for place in range(24))
        for k in range(2 + at % 3)
    )


def test_the_numbers_of_stereoset_are_paired_by_term():
    found = differences(StereoSet(cases=associations(), resamples=300), (scorer(), scorer(seed=4)))
    names = ("stereotype_score", "language_model_score", "icat")
    parts = ("task=intrasentence", "category=age,task=intrasentence", "category=race,task=intrasentence")
    assert paired(found) == {f"{name}[{part}]" for name in names for part in parts}
    assert found["icat[task=intrasentence]"].clusters == 24


@dataclass
class Chooser:
    """Finds the answer `rule(case)` of each case likelier than the others."""

    rule: object
    cases: tuple[QuestionCase, ...]
    card: ModelCard = field(default_factory=generator_card)

    def score(self, texts, **how):
        best = {(case.context, case.answers[self.rule(case)]) for case in self.cases}
        found = [-1.0 if (text[0].split("\n")[0], text[1]) in best else -3.0 for text in texts]
        assert -1.0 in found
        n = len(texts)
        return Likelihoods(
            logs=np.array(found),
            ids=np.zeros(n, dtype=np.int64),
            starts=np.arange(n + 1),
            spans=np.zeros((n, 2), dtype=np.int64),
            unscored=np.zeros(n, dtype=np.int64),
        )


def questions(n=160):
    return tuple(
        QuestionCase(
            context=f"The boy {k} met the man {k}" + (" at home" if k % 2 else ""),
            question="Who?",
            answers=(f"boy {k}", f"man {k}", "unknown"),
            right=2 if k % 2 == 0 else k % 3 % 2,
            unknown=2,
            target=1 if k % 8 else None,
            negative=k % 4 < 2,
            ambiguous=k % 2 == 0,
            category="Age" if k % 3 else "Looks",
            cluster=f"t{k // 2 % 20}",
        )
        for k in range(n)
    )


def test_the_bias_scores_of_bbq_are_paired():
    cases = questions()
    form = FORM if FORM.startswith("{context}") else "{context}\n{question}"
    one = Chooser(lambda case: int(case.id, 16) % 3, cases)
    other = Chooser(lambda case: case.biased if case.biased is not None and int(case.id, 16) % 2 else 2, cases)
    found = differences(Bbq(cases=cases, form=form, resamples=300), (one, other))
    assert paired(found) == found.keys()
    assert {key.partition("[")[0] for key in found} == {"accuracy", "unknown_share", "bias_score"}
    assert len(found) == 18


class Leaning:
    """Expects praise of the young more than of the old, by `bits`, and each sentence by chance."""

    def __init__(self, bits, *, seed):
        self.bits, self.seed, self.card = bits, seed, language_card()

    def score(self, texts, *, rule=None, counted=None):
        found = FakeScorer(rule=lambda word, how: -3.0).score(texts, rule=rule, counted=counted)
        draw = np.random.default_rng(self.seed)
        shift = draw.normal(0, 0.5, size=len(texts)) + np.array([self.bits * ("young" in text) for text in texts])
        return replace(found, logs=found.logs + np.repeat(shift / np.maximum(found.counts, 1), found.counts))


def test_what_is_expected_of_groups_is_paired_by_sentence():
    found = differences(GroupLikelihood(axes=("age",), resamples=300), (Leaning(0.0, seed=1), Leaning(2.0, seed=2)))
    assert paired(found) == found.keys()
    assert {key.partition("[")[0] for key in found} == {"valence", "valence_gap", "expectation_gap"}
    assert found["expectation_gap[axis=age]"].low > 0
    assert found["valence_gap[axis=age]"].low < 0 < found["valence_gap[axis=age]"].high


def test_what_fills_blanks_about_groups_is_paired_by_sentence():
    probe = FillIn(axes=("age",), resamples=300, count=3)
    found = differences(probe, (FakeFiller(rule=filling(0.0)), FakeFiller(rule=filling(1.0, rude=0.5))))
    assert found["praise_gap[axis=age]"].low > 1
    assert found["praise[axis=age,group=young]"].low > 0.5
    assert found["lexicon_hit_rate[axis=age,group=old]"].value == pytest.approx(1 / 3)
    assert not isinstance(found["lexicon_hit_gap[axis=age]"], Estimate)  # the largest of several means


def test_alike_models_are_seldom_shown_to_differ_in_their_largest_gap():
    """Forty templates and six groups, of which the largest of thirty gaps is compared."""
    shown, of = 0, 60
    for seed in range(of):
        draw = np.random.default_rng(seed)
        common = draw.normal(0, 1, size=(40, 6))
        made = [common + draw.normal(0, 0.7, size=common.shape) for _ in range(2)]
        sides = [
            {
                (f"t{at}", f"axis=age,group=g{group},term=0"): Row(
                    f"t{at}", f"axis=age,group=g{group},term=0", "", None, None, None, None, None, float(bits)
                )
                for (at, group), bits in np.ndenumerate(table)
            }
            for table in made
        ]
        gaps = [max(a - b for a in table.mean(axis=0) for b in table.mean(axis=0)) for table in made]
        numbers = [measured("expectation_gap", gap).model_copy(update={"slice": {"axis": "age"}}) for gap in gaps]
        found = Pairs(*sides).difference(*numbers)
        assert found.value == pytest.approx(gaps[1] - gaps[0])
        shown += not found.low <= 0 <= found.high
    assert shown <= 0.1 * of


def prompts(n=80):
    return [Example.of(f"say {k}", gold=(f"{WORDS[k % 10]} {WORDS[k // 10]}",)) for k in range(n)]


def writer(*, right, empty=()):
    """Writes what is right for the prompts numbered in `right`, nothing for `empty`, half of it otherwise."""

    def rule(prompt, sample):
        k = int(prompt.split()[1])
        words = f"{WORDS[k % 10]} {WORDS[k // 10]}"
        return "" if k in empty else words if k in right else words.split()[0] + " else"

    return FakeGenerator(rule=rule)


def test_what_is_written_is_paired_prompt_by_prompt():
    models = writer(right=range(60)), writer(right=range(30))
    found = differences(GenerationQuality(resamples=300), models, prompts())
    assert paired(found) == {
        "exact_match", "f1", "rouge_1", "rouge_2", "rouge_l", "empty_rate", "unfinished_rate", "repetition_rate",
    }  # fmt: skip
    assert found["f1"].high < 0
    assert found["exact_match"].value == pytest.approx(-30 / 80)


def test_prompts_to_which_one_of_two_generators_writes_nothing():
    few, many = int(80 * MOST_MISSING), int(80 * MOST_MISSING) + 1
    probe, base = GenerationQuality(resamples=300), writer(right=range(60))
    found = differences(probe, (base, writer(right=range(30), empty=range(few))), prompts(), most_missing=MOST_MISSING)
    assert "on the items with a score in both runs" in found["f1"].method
    assert found["f1"].n == 80 - few
    assert found["empty_rate"].value == pytest.approx(few / 80)
    for missing, share in ((many, MOST_MISSING), (1, 0.0)):
        models = base, writer(right=range(30), empty=range(missing))
        found = differences(probe, models, prompts(), most_missing=share)
        assert "items have a score in both runs" in found["f1"]
        assert isinstance(found["empty_rate"], Estimate)


def test_toxicity_is_paired_by_continuation_and_by_prompt():
    harm = PositiveClass(labels=("toxic",), meaning=Meaning.HARM, origin="test")
    card = model_card(labels=("fine", "toxic")).model_copy(update={"positive": harm, "name": "scorer"})
    fake = FakeModel(rule=lambda text: (0.0, 2.0) if "idiot" in text else (2.0, 0.0), card=card)
    judge = Judge(name="scorer", card=card, open=lambda: fake)
    polite = FakeGenerator(rule=lambda prompt, k: "" if k == 3 else f"a quiet day {k}")
    rude = FakeGenerator(rule=lambda prompt, k: "" if k == 3 else "you idiot" if len(prompt) % 4 == k else "a day")
    found = differences(Generations(judges=(judge,), samples=5, resamples=100), (polite, rude))
    names = {key.partition("[")[0] for key in paired(found)}
    assert names == {
        "expected_maximum_toxicity", "toxicity_probability", "toxic_rate", "lexicon_hit_probability",
        "lexicon_hit_rate", "empty_rate",
    }  # fmt: skip
    assert all(found[key].low > 0 for key in paired(found) if key.startswith("toxicity_probability"))


def chatty(*, obedient=0.0, seed=0):
    """Replies by chance in one of three ways, and does as it is told now and then."""

    def rule(prompt, sample):
        draw = np.random.default_rng([seed, *prompt.encode()])
        return f"answer {draw.integers(3)}" if draw.random() >= obedient else "I cannot help with that."

    return FakeGenerator(rule=rule, card=generator_card(chat=True))


@pytest.mark.parametrize(
    ("probe", "names"),
    [
        (Format(resamples=100), {"disagreement", "similarity", "f1"}),
        (Prompts(resamples=100), {"flip_rate", "similarity", "within_noise", "f1", "f1_drop", "exact_match",
                                  "exact_match_drop"}),
        (Refusals(), {"harmful_refused", "harmless_refused"}),
        (Injection(resamples=100), {"obeyed_rate", "obeyed_excess"}),
    ],
    ids=lambda each: getattr(each, "info", each).id if hasattr(each, "info") else "",
)  # fmt: skip
def test_replies_to_disturbed_prompts_are_paired(probe, names):
    found = differences(probe, (chatty(), chatty(obedient=0.5, seed=1)), prompts(40))
    about = {key for key in found if key.partition("[")[0] in names}
    assert about <= paired(found)
    assert {key.partition("[")[0] for key in about} == names


def test_what_does_not_give_the_number_is_not_paired():
    (old, before), (new, after) = (asked(Likelihood(resamples=100), scorer(seed=seed), texts()) for seed in (0, 1))
    other = {key: replace(row, values={**row.values, "bits": row.values["bits"] + 0.001}) for key, row in after.items()}
    assert Pairs(before, other).difference(old["perplexity"], new["perplexity"]) == NOT_THE_SAME
    part = new["perplexity"].model_copy(update={"slice": {"group": "x"}})
    assert Pairs(before, after).difference(part, part) == NO_PART
    older = {key: replace(row, values={}) for key, row in before.items()}
    assert not isinstance(Pairs(older, after).difference(old["perplexity"], new["perplexity"]), Estimate)


def test_p_values_from_intervals_are_those_of_the_paper():
    """Altman and Bland 2011, BMJ 343:d2304: a logarithm of -0.211 (-0.357 to -0.062) has z = 2.80 and P = 0.005."""
    estimate = Estimate(value=-0.211, low=-0.357, high=-0.062, n=10**6, clusters=10**6, method="m")
    assert p_value(estimate) == pytest.approx(0.005, abs=0.0007)
    few = estimate.model_copy(update={"clusters": 10})
    assert p_value(few) > p_value(estimate)
    assert p_value(estimate.model_copy(update={"low": -0.211, "high": -0.211})) == 1.0


def test_p_values_of_means_are_those_of_the_t_test():
    values = np.random.default_rng(0).normal(0.3, 1.0, size=25)
    from scipy.stats import ttest_1samp

    assert p_value(stats.mean(values)) == pytest.approx(ttest_1samp(values, 0).pvalue)
