"""What is expected of each group: the arithmetic on scorers with known preferences, and a planted pair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probes.bias.fill_in.probe import FillIn
from probes.bias.likelihood.probe import GroupLikelihood
from probes.bias.likelihood.surroundings import Surroundings, person
from probes.bias.stereotypes.crows_pairs import CrowsPairs
from probes.core.answers import ProblemType
from probes.core.likelihoods import Scoring
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip
from probes.model.load import load
from probes.text.identity import names, table
from probes.text.templates import sentences, templates
from tests.conftest import FakeScorer, language_card
from tests.planted_language import AXIS, GROUPS, build_pair, sentence_pairs


class Favouring:
    """Expects each sentence alike, but praise of the young and blame of the old by `bits` more than the opposite."""

    def __init__(self, bits: float, *, problem: ProblemType = ProblemType.CAUSAL_LM, noise: float = 0.1) -> None:
        self.bits, self.noise, self.card = bits, noise, language_card(problem)

    def score(self, texts, *, rule=None, counted=None):
        polarity = {s.text: (p, s.group) for s, p in _told()}
        draw = np.random.default_rng(0)
        found = FakeScorer(rule=lambda word, how: -3.0, card=self.card).score(texts, rule=rule, counted=counted)
        shift = np.zeros(len(texts))
        for row, text in enumerate(texts):
            said, group = polarity[text]
            sign = {"positive": 1, "negative": -1}.get(said, 0) * (1 if group == "young" else -1)
            shift[row] = np.log(2) * (self.bits / 2 * sign + self.noise * draw.normal())
        logs = found.logs + np.repeat(shift / np.maximum(found.counts, 1), found.counts)
        return replace(found, logs=logs)


def _told():
    polarity = {template.id: template.polarity for template in templates()}
    return [(s, polarity[s.template]) for s in sentences(table(AXIS), names=names(AXIS), terms=1)]


def run(model, **how):
    probe = GroupLikelihood(axes=(AXIS,), resamples=300, **how)
    return list(probe.run(model, [], Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def test_a_preference_is_found_with_its_size():
    found = numbers(run(Favouring(0.8, noise=0.3)))
    # Young: +0.4 where positive, -0.4 where negative, so 0.8; old the other way round.
    assert found["valence[axis=age,group=young]"].value == pytest.approx(0.8, abs=0.1)
    assert found["valence[axis=age,group=old]"].value == pytest.approx(-0.8, abs=0.1)
    gap = found["valence_gap[axis=age]"]
    assert gap.value == pytest.approx(1.6, abs=0.2)
    assert gap.low > 0.5
    assert abs(found["expectation_gap[axis=age]"].value) < 0.3


def test_a_masked_model_is_asked_about_both_sides():
    """The fake prefers on each side, and most sentences have both."""
    found = numbers(run(Favouring(0.8, noise=0.3, problem=ProblemType.MASKED_LM)))
    assert found["valence[axis=age,group=young]"].value == pytest.approx(1.5, abs=0.15)


def test_without_a_preference_none_is_claimed():
    gap = numbers(run(Favouring(0.0)))["valence_gap[axis=age]"]
    assert gap.low < 0.05


def test_a_group_that_is_expected_less_throughout_has_no_valence():
    polarity = {s.text: s.group for s, _ in _told()}

    class Rare(Favouring):
        def score(self, texts, *, rule=None, counted=None):
            found = super().score(texts, rule=rule, counted=counted)
            shift = np.array([np.log(2) * (polarity[text] == "young") for text in texts])
            logs = found.logs + np.repeat(shift / np.maximum(found.counts, 1), found.counts)
            return replace(found, logs=logs)

    found = numbers(run(Rare(0.0, noise=0.01)))
    assert found["expectation_gap[axis=age]"].value == pytest.approx(1.0, abs=0.05)
    assert found["valence_gap[axis=age]"].value == pytest.approx(0.0, abs=0.1)


def test_only_words_around_the_person_are_scored():
    asked = []

    class Watching(FakeScorer):
        def score(self, texts, *, rule=None, counted=None):
            asked.extend(text[a:b] for text, (a, b) in zip(texts, counted, strict=True))
            return super().score(texts, rule=rule, counted=counted)

    made = {AXIS: sentences(table(AXIS))}
    Surroundings.ask(Watching(rule=lambda word, how: -1.0, card=language_card(ProblemType.MASKED_LM)), made)
    for sentence in made[AXIS]:
        start, end = person(sentence)
        assert sentence.text[start:end].lower() == sentence.term.lower()
        assert sentence.text[end:] in asked
    assert not any(sentence.term in each for sentence in made[AXIS] for each in asked)


def test_a_short_rest_and_one_that_was_not_read_have_no_score():
    made = {AXIS: sentences(table(AXIS))}
    (found,) = Surroundings.ask(FakeScorer(rule=lambda word, how: -1.0, longest=1), made)
    assert found.unscored == len(found.sentences)
    records = run(FakeScorer(rule=lambda word, how: -1.0, longest=1))
    assert next(record for record in records if isinstance(record, Accounting)).scored == 0
    assert not numbers(records)
    assert sum(isinstance(record, Skip) for record in records) == 4


def test_cases_and_outcomes():
    records = run(Favouring(0.4))
    shown = [record for record in records if isinstance(record, Evidence)]
    assert [case.chosen for case in shown] == ["random"] * 3 + ["worst"] * 5
    (outcomes,) = [record for record in records if isinstance(record, Outcomes)]
    assert len(set(zip(outcomes.example_id, outcomes.variant, strict=True))) == len(outcomes)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="axes"):
        GroupLikelihood(axes=("height",))
    with pytest.raises(ValueError, match="terms"):
        GroupLikelihood(terms=0)


@pytest.fixture(scope="module", params=["gpt2", "bert"])
def twins(request, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("language")
    return build_pair(folder, arch=request.param)


def test_stereotyped_text_moves_the_scores_against_the_base(twins):
    clean, tuned = (load(str(folder), device="cpu") for folder in twins)
    if clean.card.problem is ProblemType.CAUSAL_LM:
        before, after = (numbers(run(model)) for model in (clean, tuned))
        key = f"valence[axis={AXIS},group={GROUPS[0]}]"
        assert after[key].low > max(0.2, before[key].value)
        assert after[f"valence_gap[axis={AXIS}]"].low > before[f"valence_gap[axis={AXIS}]"].value
    else:
        fill = FillIn(axes=(AXIS,), resamples=300)
        before, after = (numbers(fill.run(model, [], Context(probe=fill.info.id))) for model in (clean, tuned))
        key = f"praise[axis={AXIS},group={GROUPS[0]}]"
        assert before[key].low < 0 < after[key].low
        assert after[f"praise_gap[axis={AXIS}]"].value > 3 * before[f"praise_gap[axis={AXIS}]"].value
    probe = CrowsPairs(cases=tuple(sentence_pairs()))
    pairs = [numbers(probe.run(model, [], Context(probe=probe.info.id))) for model in (clean, tuned)]
    assert pairs[0]["stereotype_share"].low < 0.6
    assert pairs[1]["stereotype_share"].low > 0.75
    assert pairs[1]["stereotype_share"].low > pairs[0]["stereotype_share"].value


def test_rules_are_those_of_the_kind():
    assert language_card(ProblemType.MASKED_LM).scoring is Scoring.ONE_MASKED
    assert language_card().scoring is Scoring.LEFT_TO_RIGHT


class Gappy(Favouring):
    """Expects words about the young less by four bits, and has no score for most of what is told of them that is good.

    The same of a tenth of what is bad; the loss of a template says nothing about either group.
    """

    def score(self, texts, *, rule=None, counted=None):
        found = super().score(texts, rule=rule, counted=counted)
        said = {s.text: (s, p) for s, p in _told()}
        shift, lost = np.zeros(len(texts)), np.zeros(len(texts), dtype=np.int64)
        seen = {"positive": 0, "negative": 0, "neutral": 0}
        for row, text in enumerate(texts):
            sentence, polarity = said[text]
            if sentence.group == "young":
                seen[polarity] += 1
                shift[row] = -4 * np.log(2)
                lost[row] = seen[polarity] % 10 < {"positive": 6, "negative": 1, "neutral": 5}[polarity]
        logs = found.logs + np.repeat(shift / np.maximum(found.counts, 1), found.counts)
        return replace(found, logs=logs, unscored=lost)


def test_a_group_without_half_of_the_templates_has_the_valence_of_those_it_has():
    found = numbers(run(Gappy(0.0, noise=0.01)))
    assert found["expectation_gap[axis=age]"].value == pytest.approx(4.0, abs=0.05)
    assert found["valence_gap[axis=age]"].value == pytest.approx(0.0, abs=0.1)
    for group in GROUPS:
        assert found[f"valence[axis=age,group={group}]"].value == pytest.approx(0.0, abs=0.1)
    leaning = numbers(run(Gappy(0.8, noise=0.1)))
    assert leaning["valence[axis=age,group=young]"].value == pytest.approx(0.8, abs=0.1)
    assert leaning["valence[axis=age,group=old]"].value == pytest.approx(-0.8, abs=0.1)


def test_nothing_before_the_person_is_one_more_question_without_tokens():
    asked = []

    class Watching(FakeScorer):
        def score(self, texts, *, rule=None, counted=None):
            asked.append(list(counted))
            return super().score(texts, rule=rule, counted=counted)

    made = {AXIS: sentences(table(AXIS))}
    Surroundings.ask(Watching(rule=lambda word, how: -1.0, card=language_card(ProblemType.MASKED_LM)), made)
    _, before = asked
    assert before == [(0, person(sentence)[0]) for sentence in made[AXIS]]
    assert (0, 0) in before
