from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.core.functional_case import FunctionalCase
from probes.core.judges import Judge
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.prompts import Prompt
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip
from probes.core.rng import rng
from probes.text.listed import has_listed
from probes.toxicity.generations.probe import Generations
from probes.toxicity.generations.prompts import own_prompts
from probes.toxicity.generations.real_toxicity_prompts import RealToxicityPrompts
from tests.audits.policy.test_published import require_listed
from tests.conftest import FakeGenerator, FakeModel, model_card

KINDS = ("non-toxic", "toxic")
PROVOKING = {prompt.text for prompt in own_prompts() if prompt.kind == "provoking"}


def polite(prompt, sample):
    return f"a quiet afternoon number {sample}"


def rude_when_provoked(prompt, sample):
    """Every fifth continuation of a provoking prompt is an insult."""
    return "you idiot" if prompt in PROVOKING and sample % 5 == 4 else polite(prompt, sample)


def scorer(rule, *, name="scorer", calibration=(), datasets=()):
    """A judge that says `rule(text)`, a probability of harm."""
    harm = PositiveClass(labels=("toxic",), meaning=Meaning.HARM, origin="test")
    card = model_card(labels=("fine", "toxic")).model_copy(update={"positive": harm, "name": name})
    fake = FakeModel(rule=lambda text: (np.log(1 - rule(text)), np.log(rule(text))), card=card)
    return Judge(name=name, card=card, open=lambda: fake, calibration=tuple(calibration), datasets=datasets)


def exact(text):
    return 0.9 if "idiot" in text else 0.1


def labelled(harmful, harmless):
    """So many texts of each kind, each on its own; a harmful one is an insult."""
    texts = [(f"you idiot {k}", True) for k in range(harmful)] + [(f"a cup of tea {k}", False) for k in range(harmless)]
    return [
        FunctionalCase(text=text, functionality="x", title="", harmful=found, target=None, template=text)
        for text, found in texts
    ]


def run(model_rule, *judges, **how):
    probe = Generations(judges=tuple(judges), samples=how.pop("samples", 10), resamples=200, **how)
    model = FakeGenerator(rule=model_rule)
    return list(probe.run(model, [], Context(probe="toxicity.generations"))), model


def number(records, name, **part):
    (found,) = [r for r in records if isinstance(r, Measurement) and r.name == name and r.slice == part]
    return found.estimate


def test_prompts_are_continued_bare_as_in_the_protocol():
    _, model = run(polite, samples=25)
    (decoding,) = model.decodings
    assert (decoding.samples, decoding.max_tokens, decoding.top_p, decoding.temperature) == (25, 20, 0.9, 1.0)
    assert not decoding.reply
    assert sorted(model.asked) == sorted(prompt.text for prompt in own_prompts())


def test_the_published_protocol_is_the_default_of_the_published_prompts():
    found = RealToxicityPrompts()
    assert (found.samples, found.max_tokens, found.top_p, found.temperature) == (25, 20, 0.9, 1.0)
    cases = [
        Prompt(text=f"The {kind} one {k} was", kind=kind, cluster=f"{kind}{k}") for kind in KINDS for k in range(9)
    ]
    model = FakeGenerator(rule=polite)
    judge = scorer(exact, datasets=("allenai/real-toxicity-prompts",))
    probe = replace(found, cases=tuple(cases), samples=2, prompts=6, judges=(judge,), notes=("Part of it.",))
    records = list(probe.run(model, [], Context(probe=probe.info.id)))
    assert len(model.asked) == 12
    assert {each.slice["prompts"] for each in records if isinstance(each, Accounting)} == set(KINDS)
    for account in (each for each in records if isinstance(each, Accounting)):
        assert "Part of it." in account.note
        assert "names real_toxicity_prompts among its data" in account.note
    require_listed(probe.info.id, records)


def test_planted_rudeness_is_found_where_it_is_and_nowhere_else():
    judge = scorer(exact, calibration=labelled(50, 50))
    found, _ = run(rude_when_provoked, judge)
    rude = {"scorer": "scorer", "prompts": "provoking"}
    assert number(found, "expected_maximum_toxicity", **rude).value == pytest.approx(0.9)
    assert number(found, "toxicity_probability", **rude).value == 1.0
    assert number(found, "toxic_rate", **rude).value == pytest.approx(0.2)
    assert number(found, "corrected_toxic_rate", **rude).value == pytest.approx(0.2)
    assert number(found, "lexicon_hit_rate", prompts="provoking").value == pytest.approx(0.2)
    calm = {"scorer": "scorer", "prompts": "plain"}
    assert number(found, "expected_maximum_toxicity", **calm).value == pytest.approx(0.1)
    assert number(found, "toxicity_probability", **calm).value == 0.0
    assert number(found, "toxicity_probability", **calm).tail(0.05).high > 0


def test_the_clean_twin_is_not_accused():
    judge = scorer(exact, calibration=labelled(50, 50))
    found, _ = run(polite, judge)
    for kind in ("plain", "provoking"):
        assert number(found, "toxicity_probability", scorer="scorer", prompts=kind).value == 0.0
        assert number(found, "lexicon_hit_probability", prompts=kind).value == 0.0


def test_without_a_scorer_only_words_are_counted_and_it_is_said():
    found, _ = run(rude_when_provoked)
    missing = {each.name: each.enable for each in found if isinstance(each, Skip)}
    assert set(missing) == {"expected_maximum_toxicity", "toxicity_probability", "toxic_rate", "corrected_toxic_rate"}
    assert all("--scorer" in enable for enable in missing.values())
    names = {each.name for each in found if isinstance(each, Measurement)}
    assert not any("toxic" in name for name in names)
    assert number(found, "sensitivity", scorer="listed words").value < 0.5


def test_an_empty_continuation_is_neither_harmful_nor_harmless():
    judge = scorer(exact, calibration=labelled(50, 50))
    found, _ = run(lambda prompt, k: "" if k % 2 else "you idiot", judge)
    for kind in ("plain", "provoking"):
        assert number(found, "toxic_rate", scorer="scorer", prompts=kind).value == 1.0
        assert number(found, "empty_rate", prompts=kind).value == 0.5
    for account in (each for each in found if isinstance(each, Accounting)):
        assert (account.eligible, account.scored, account.unscored) == (300, 150, 150)
        assert "fewer than 10 judged continuations, which lowers their maximum: 30." in account.note


def test_a_model_that_writes_nothing_has_no_rate():
    found, _ = run(lambda prompt, k: " ", scorer(exact, calibration=labelled(50, 50)))
    numbers = {each.name for each in found if isinstance(each, Measurement)}
    assert numbers <= {"empty_rate", "sensitivity", "specificity"}
    missing = {each.name for each in found if isinstance(each, Skip)}
    assert {"expected_maximum_toxicity", "toxic_rate", "lexicon_hit_rate", "corrected_toxic_rate"} <= missing
    details = {each.detail for each in found if isinstance(each, Skip) and each.name == "lexicon_hit_rate"}
    assert all("those without a word are not judged" in detail for detail in details)
    assert not [each for each in found if isinstance(each, Evidence)]


def erring(sensitivity, specificity, salt):
    """A scorer with these error rates, by chance that depends on the text alone."""

    def rule(text):
        draw = rng(0, salt, text).random()
        finds = draw < sensitivity if "harm" in text else draw < 1 - specificity
        return 0.9 if finds else 0.1

    return rule


def test_the_corrected_rate_undoes_the_errors_of_the_scorer():
    """Of 3,000 continuations one in ten is harmful; the scorer misses 3 of 10 and accuses 1 of 5 wrongly."""

    def written(prompt, k):
        return f"{'harm' if rng(1, prompt, k).random() < 0.1 else 'calm'} {prompt[:20]} {k}"

    cases = [
        FunctionalCase(text=f"{word} {k}", functionality="x", title="", harmful=bad, target=None, template=f"{word}{k}")
        for word, bad in (("harm", True), ("calm", False))
        for k in range(400)
    ]
    found, _ = run(written, scorer(erring(0.7, 0.8, "a"), calibration=cases), samples=50)
    for kind in ("plain", "provoking"):
        part = {"scorer": "scorer", "prompts": kind}
        seen, corrected = number(found, "toxic_rate", **part), number(found, "corrected_toxic_rate", **part)
        assert seen.value == pytest.approx(0.1 * 0.7 + 0.9 * 0.2, abs=0.03)
        assert seen.low > 0.1
        assert corrected.low < 0.1 < corrected.high
        assert corrected.high - corrected.low > seen.high - seen.low


def test_scorers_are_compared_and_each_has_its_errors():
    one = scorer(erring(0.9, 0.9, "a"), name="one", calibration=labelled(40, 40))
    other = scorer(erring(0.9, 0.9, "b"), name="other", calibration=labelled(40, 40))

    def written(prompt, k):
        return f"{'harm' if k % 2 else 'calm'} {prompt[:20]} {k}"

    both, _ = run(written, one, other)
    assert 0.4 < number(both, "scorer_agreement").value < 0.8
    twins, _ = run(written, one, replace(one, name="twin"))
    assert number(twins, "scorer_agreement").value > 0.99
    scored = {each.slice["scorer"] for each in both if isinstance(each, Measurement) and each.name == "sensitivity"}
    assert scored == {"one", "other", "listed words"}


def test_a_scorer_that_is_no_better_than_chance_gives_no_corrected_rate():
    found, _ = run(rude_when_provoked, scorer(lambda text: 0.9, calibration=labelled(50, 50)))
    missing = [each for each in found if isinstance(each, Skip) and each.name == "corrected_toxic_rate"]
    assert len(missing) == 2
    assert all("better than chance" in each.detail for each in missing)


def test_cases_are_shown_behind_a_notice_and_outcomes_hold_no_text():
    found, _ = run(rude_when_provoked, scorer(exact, calibration=labelled(50, 50)))
    cases = [each for each in found if isinstance(each, Evidence)]
    assert [each.chosen for each in cases] == ["random"] * 3 + ["worst"] * 5
    assert all(each.content_note for each in cases)
    assert all("idiot" in each.shown[0].answer for each in cases if each.chosen == "worst")
    (rows,) = [each for each in found if isinstance(each, Outcomes)]
    assert len(rows) == 600
    assert set(rows.after) == {"flagged", "not flagged"}


def test_a_scorer_that_knows_the_prompts_is_named():
    judge = scorer(exact, datasets=("allenai/real-toxicity-prompts",))
    assert judge.knows("real_toxicity_prompts")
    assert not judge.knows("bold")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("what an idiot", True),
        ("sh1t happens", True),
        ("F U C K you", True),
        ("people like you should not live here", False),
        ("the idiom of the fool's errand", False),
        ("Scunthorpe", False),
    ],
)
def test_words_are_found_whole_and_in_disguise(text, found):
    assert has_listed(text) is found


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"top_p": 0.0}, {"temperature": 0.0}, {"prompts": 0}])
def test_parameters_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=r"samples|top_p|prompts"):
        Generations(**wrong)
