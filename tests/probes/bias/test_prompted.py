from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from probes.bias.prompted.bold import Bold, drawn
from probes.bias.prompted.honest import Honest, hurtful_completions
from probes.bias.prompted.probe import Prompted, own_prompts
from probes.core.functional_case import FunctionalCase
from probes.core.judges import Judge, Sought
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.prompts import Prompt
from probes.core.records import Accounting, Evidence, Measurement, Skip
from probes.core.rng import rng
from probes.text.identity import AXES
from tests.audits.policy.test_published import require_listed
from tests.conftest import FakeFiller, FakeGenerator, FakeModel, model_card

RELIGION = {prompt.text: prompt.group for prompt in own_prompts(["religion"], terms=1)}

RUDE = np.mean([2 + len(text) % 2 for text, group in RELIGION.items() if group == "muslim"]) / 4


def calm(prompt, k):
    return f"went home at {rng(0, prompt, k).randint(1, 12)}"


def rude_after_one_group(prompt, k):
    """Two or three of four continuations about Muslims are an insult; no other group gets any."""
    return "was an idiot" if RELIGION.get(prompt) == "muslim" and k < 2 + len(prompt) % 2 else calm(prompt, k)


def judge(word="idiot", *, name="scorer", sought=Sought.HARM):
    positive = PositiveClass(labels=("bad",), meaning=Meaning.HARM, origin="test")
    card = model_card(labels=("fine", "bad")).model_copy(update={"positive": positive, "name": name})
    fake = FakeModel(rule=lambda text: (0.0, 6.0 if word in text else -6.0), card=card)
    return Judge(name=name, card=card, sought=sought, open=lambda: fake)


def run(probe, rule):
    model = FakeGenerator(rule=rule)
    return list(probe.run(model, [], Context(probe=probe.info.id))), model


def number(records, name, **part):
    (found,) = [r for r in records if isinstance(r, Measurement) and r.name == name and r.slice == part]
    return found.estimate


def test_every_group_gets_the_same_beginnings():
    prompts = own_prompts(AXES, terms=1)
    for axis in AXES:
        by_group: dict[str, set[str]] = {}
        for prompt in (each for each in prompts if each.kind == axis):
            by_group.setdefault(prompt.group, set()).add(prompt.cluster)
        assert len(by_group) >= 2
        shared = frozenset.intersection(*map(frozenset, by_group.values()))
        assert len(shared) >= 10  # a group without names lacks the beginnings that are filled with them
        assert max(map(len, by_group.values())) == 16
    assert not [prompt.text for prompt in prompts if re.search(r"[{}]|^[a-z]", prompt.text)]


def test_rudeness_after_one_group_is_found_and_its_clean_twin_is_not_accused():
    probe = Prompted(axes=("religion",), samples=4, judges=(judge(),), resamples=300)
    biased, model = run(probe, rude_after_one_group)
    (decoding,) = model.decodings
    assert (decoding.samples, decoding.top_p, decoding.reply) == (4, 0.9, False)
    whose = {"axis": "religion", "scorer": "scorer"}
    assert number(biased, "toxicity", group="muslim", **whose).value == pytest.approx(RUDE, abs=0.01)
    assert number(biased, "toxicity", group="jewish", **whose).value < 0.01
    gap = number(biased, "toxicity_gap", **whose)
    assert gap.value == pytest.approx(RUDE, abs=0.01)
    assert gap.tail(0.05).low > 0.4
    assert number(biased, "lexicon_hit_gap", axis="religion").value == pytest.approx(RUDE)
    require_listed(probe.info.id, biased)
    clean, _ = run(probe, calm)
    assert number(clean, "toxicity_gap", **whose).tail(0.05).low <= 0
    assert number(clean, "lexicon_hit_gap", axis="religion").tail(0.05).high > 0


def test_a_gap_by_chance_alone_is_seldom_taken_for_one():
    """Every continuation is rude with probability one in five, whoever it is about."""
    accused = 0
    for seed in range(40):
        probe = Prompted(axes=("age",), resamples=200)
        found, _ = run(probe, lambda prompt, k, seed=seed: "idiot" if rng(seed, prompt, k).random() < 0.2 else "fine")
        accused += number(found, "lexicon_hit_gap", axis="age").tail(0.05).low > 0
    assert accused <= 5


def test_negative_sentiment_is_measured_by_its_own_scorer():
    gloomy = judge("sad", name="mood", sought=Sought.NEGATIVE)
    found, _ = run(
        Prompted(axes=("age",), samples=3, judges=(judge(), gloomy), resamples=200),
        lambda prompt, k: "a sad tale" if k else "fine",
    )
    assert number(found, "negativity", axis="age", group="old", scorer="mood").value == pytest.approx(2 / 3, abs=0.01)
    assert number(found, "toxicity", axis="age", group="old", scorer="scorer").value < 0.01


def test_the_errors_of_a_scorer_of_harm_stand_beside_its_means():
    cases = tuple(
        FunctionalCase(text=text, functionality="x", title="", harmful=harmful, target=None, template=text)
        for text, harmful in [(f"an idiot {k}", True) for k in range(10)]
        + [(f"a friend {k}", False) for k in range(10)]
    )
    probe = Prompted(axes=("age",), judges=(replace(judge(), calibration=cases),), resamples=200)
    found, _ = run(probe, calm)
    assert number(found, "sensitivity", scorer="scorer").value == 1.0
    assert number(found, "specificity", scorer="scorer").value == 1.0


def test_without_a_scorer_it_is_said_and_nothing_is_called_toxicity():
    found, _ = run(Prompted(axes=("age",), resamples=200), calm)
    (skip,) = [each for each in found if isinstance(each, Skip)]
    assert "--scorer" in skip.enable
    assert {each.name for each in found if isinstance(each, Measurement)} == {
        "lexicon_hit_rate", "lexicon_hit_gap", "empty_rate", "empty_gap",
    }  # fmt: skip


def test_empty_continuations_are_counted_and_not_judged():
    found, _ = run(
        Prompted(axes=("age",), samples=3, judges=(judge(),), resamples=200),
        lambda prompt, k: "" if k == 0 else "an idiot",
    )
    assert number(found, "empty_rate", axis="age", group="old").value == pytest.approx(1 / 3)
    assert number(found, "toxicity", axis="age", group="old", scorer="scorer").value > 0.99
    (account,) = [each for each in found if isinstance(each, Accounting)]
    assert (account.eligible, account.scored, account.unscored) == (96, 64, 32)


def test_where_every_continuation_is_empty_that_is_the_reason():
    found, _ = run(Prompted(axes=("age",), judges=(judge(),), resamples=200), lambda prompt, k: "")
    skips = [each for each in found if isinstance(each, Skip) and each.slice.get("axis") == "age"]
    assert {each.name for each in skips} == {"lexicon_hit_rate", "lexicon_hit_gap", "toxicity", "toxicity_gap"}
    assert all("those without a word are not judged" in each.detail for each in skips)
    (account,) = [each for each in found if isinstance(each, Accounting)]
    assert "1 continuation of each." in account.note


def test_random_cases_come_first_and_are_shown_on_request_only():
    found, _ = run(Prompted(axes=("religion",), samples=3, resamples=200), rude_after_one_group)
    cases = [each for each in found if isinstance(each, Evidence)]
    assert [each.chosen for each in cases] == ["random"] * 3 + ["worst"] * 5
    assert all(each.content_note for each in cases)
    assert {each.slice["group"] for each in cases if each.chosen == "worst"} == {"muslim"}


def entities(groups=("kings", "queens"), *, each=12, reference="was born in a small town"):
    return tuple(
        Prompt(
            text=f"{group} {k} part {part} was", kind="gender", group=group, cluster=f"{group} {k}", reference=reference
        )
        for group in groups
        for k in range(each)
        for part in range(2)
    )


def test_bold_compares_groups_by_their_entities_and_with_the_articles():
    probe = Bold(cases=entities(), judges=(judge(),))
    found, _ = run(probe, lambda prompt, k: "an idiot" if prompt.startswith("kings") else calm(prompt, k))
    whose = {"axis": "gender", "scorer": "scorer"}
    gap = number(found, "toxicity_gap", **whose)
    assert gap.value > 0.98
    assert gap.tail(0.05).low > 0.5
    require_listed(probe.info.id, found)
    kings = number(found, "toxicity", group="kings", **whose)
    assert (kings.n, kings.clusters) == (24, 12)
    assert number(found, "reference_toxicity", group="kings", **whose).value < 0.01
    assert number(found, "reference_toxicity_gap", **whose).tail(0.05).low <= 0


def test_bold_draws_from_as_many_entities_as_there_are():
    for most, entities_drawn in ((10, 10), (20, 12)):
        found = drawn(entities(), most=most, rng=Random(1))
        for group in ("kings", "queens"):
            names = [prompt.cluster for prompt in found if prompt.group == group]
            assert len(names) == most
            assert len(set(names)) == entities_drawn
    assert len(drawn(entities(), most=1000, rng=Random(1))) == len(entities())


def test_the_honest_score_is_the_share_of_hurtful_completions():
    """By hand: one hurtful word in two times three is 0.167."""
    texts = ["CEO", "businesswoman", "doctor", "idiot", "nurse", "pilot"]
    values = hurtful_completions(texts, lambda text: text == "idiot").reshape(2, 3)
    assert values.mean(axis=1).mean() == pytest.approx(0.167, abs=1e-3)
    assert np.isnan(hurtful_completions([" "], lambda text: True)).all()


def templates():
    return tuple(
        Prompt(text=f"the {who} {verb} as a", kind="gender", group=group, cluster=f"[I] {verb} as a [M]")
        for verb in [f"verb{k}" for k in range(15)]
        for who, group in (("woman", "female"), ("mother", "female"), ("man", "male"), ("father", "male"))
    )


def test_honest_counts_by_group_with_our_own_words_or_those_given():
    def sexist(prompt, k):
        often = 1 + int(prompt.split()[2].removeprefix("verb")) % 2
        return "idiot" if k < often and ("woman" in prompt or "mother" in prompt) else "baker, of bread"

    found, _ = run(Honest(cases=templates(), resamples=200), sexist)
    assert number(found, "honest_score", axis="gender", group="female").value == pytest.approx(22 / 75)
    require_listed("bias.honest", found)
    assert number(found, "honest_score", axis="gender", group="male").value == 0.0
    assert number(found, "honest_score_gap", axis="gender").value == pytest.approx(22 / 75)
    assert number(found, "honest_score_gap", axis="gender").tail(0.05).low > 0
    given, _ = run(Honest(cases=templates(), hurtful=frozenset({"baker"}), words="test", resamples=200), sexist)
    assert number(given, "honest_score", axis="gender", group="male").value == 1.0


def test_honest_fills_the_blanks_of_masked_models_with_their_likeliest_words():
    def sexist(text):
        assert text.endswith(" as a [M].")
        rude = 0.3 if "woman" in text or "mother" in text else 0.01
        return {"idiot": rude, "baker": 0.2, "nurse": 0.15, "the": 0.1}

    cases = tuple(replace(case, after=".") for case in templates())
    model = FakeFiller(rule=sexist)
    found = list(Honest(cases=cases, samples=3, resamples=200).run(model, [], Context(probe="bias.honest")))
    assert (model.calls, len(model.asked)) == (1, 60)
    assert number(found, "honest_score", axis="gender", group="female").value == pytest.approx(1 / 3)
    assert number(found, "honest_score", axis="gender", group="male").value == 0.0  # its "idiot" is the fourth
    assert number(found, "honest_score_gap", axis="gender").tail(0.05).low > 0
    require_listed("bias.honest", found)
    clean = FakeFiller(rule=lambda text: {"baker": 0.3, "nurse": 0.2, "idiot": 0.1})
    found = list(Honest(cases=cases, samples=2, resamples=200).run(clean, [], Context(probe="bias.honest")))
    assert number(found, "honest_score_gap", axis="gender").value == 0


@pytest.mark.parametrize("wrong", [{"axes": ()}, {"axes": ("height",)}, {"samples": 0}, {"top_p": 0.0}])
def test_parameters_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=r"axes|samples|top_p"):
        Prompted(**wrong)
