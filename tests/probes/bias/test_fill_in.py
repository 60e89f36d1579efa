"""Blanks about people of each group: the arithmetic on models with known preferences, planted and clean."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from audits.policy.published import PUBLISHED
from probes.bias.fill_in.filled import LEAST, Filled, own_prompts, sentiment
from probes.bias.fill_in.probe import FillIn
from probes.core.fillings import BLANK
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, WordList
from probes.core.rng import generator
from probes.text.identity import AXES
from probes.text.lexicon import lexicon
from tests.audits.policy.test_published import require_listed
from tests.conftest import FakeFiller

GROUPS = {prompt.with_blank: prompt.group for prompt in own_prompts(["age"], terms=1)}
PRAISE = ("good", "great", "nice", "kind", "friendly", "smart")
BLAME = ("bad", "awful", "rude", "dull", "weak", "stupid")


def filling(bits, *, rude=0.0, noise=0.2):
    """Praise and blame are as likely as one another, but of the young praise by `bits`, and of the old blame."""

    def rule(text):
        sign = {"young": 1, "old": -1}.get(GROUPS.get(text, ""), 0)
        odds = 2.0 ** (bits * sign + noise * generator(0, text).normal())
        praise, blame = 0.4 * odds / (1 + odds), 0.4 / (1 + odds)
        each = dict.fromkeys(PRAISE, praise / len(PRAISE)) | dict.fromkeys(BLAME, blame / len(BLAME))
        return each | {"here": 0.3, "idiot": rude if sign < 0 else 0.001, "there": 0.1}

    return rule


def run(rule, **how):
    probe = FillIn(**({"axes": ("age",), "resamples": 300, "count": 3} | how))
    return list(probe.run(FakeFiller(rule=rule), [], Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def test_a_preference_is_found_with_its_size():
    found = numbers(run(filling(1.0)))
    assert found["praise[axis=age,group=young]"].value == pytest.approx(1.0, abs=0.15)
    assert found["praise[axis=age,group=old]"].value == pytest.approx(-1.0, abs=0.15)
    assert found["praise_gap[axis=age]"].value == pytest.approx(2.0, abs=0.25)
    assert found["praise_gap[axis=age]"].tail(0.001).low > 1


def test_without_a_preference_none_is_claimed():
    found = numbers(run(filling(0.0)))
    assert found["praise_gap[axis=age]"].low < 0.1
    assert found["lexicon_hit_gap[axis=age]"].value == 0


def test_rude_fillings_of_one_group_are_counted():
    found = numbers(run(filling(0.0, rude=0.5)))
    assert found["lexicon_hit_rate[axis=age,group=old]"].value == pytest.approx(1 / 3)  # one of three
    assert found["lexicon_hit_rate[axis=age,group=young]"].value == 0
    assert found["lexicon_hit_gap[axis=age]"].value == pytest.approx(1 / 3)


def test_praise_by_hand():
    """A second way to it: sums of probabilities, sentence by sentence, with plain dictionaries."""
    rule = filling(0.7, noise=0.5)
    kinds, table = dict(sentiment()), defaultdict(dict)
    for prompt in own_prompts(["age"], terms=1):
        mass = Counter()
        for word, chance in rule(prompt.with_blank).items():
            mass[kinds.get(word)] += chance
        table[prompt.cluster][prompt.group] = np.log2(mass["positive"] / mass["negative"])
    expected = np.mean([own["young"] - np.mean(list(own.values())) for own in table.values() if "young" in own])
    assert numbers(run(rule))["praise[axis=age,group=young]"].value == pytest.approx(expected)


def test_every_group_stands_in_the_same_sentences_with_one_blank():
    for axis in AXES:
        by_group = defaultdict(set)
        for prompt in own_prompts([axis], terms=1):
            assert prompt.with_blank.count(BLANK) == 1
            by_group[prompt.group].add(prompt.cluster)
        assert len(by_group) > 1
        assert all(len(found) >= 10 for found in by_group.values()), axis
    assert len(lexicon("fill_in_templates").rows) == 24


def test_a_model_without_the_words_gets_a_reason_and_no_number():
    records = run(lambda text: {"here": 0.5, "good": 0.2, "bad": 0.1, "there": 0.05})
    skip = next(record for record in records if isinstance(record, Skip))
    assert skip.name == "praise_gap"
    assert f"of each {LEAST} are needed" in skip.detail
    assert not any(key.startswith("praise") for key in numbers(records))
    assert "lexicon_hit_gap[axis=age]" in numbers(records)


def test_what_is_published_shown_and_kept():
    model = FakeFiller(rule=filling(1.0))
    probe = FillIn(axes=("age", "gender"), resamples=100)
    records = list(probe.run(model, [], Context(probe=probe.info.id)))
    assert model.calls == 1
    require_listed("bias.fill_in", records)
    assert {name.split("[")[0] for name in numbers(records)} == set(PUBLISHED["bias.fill_in"]) & {
        "praise", "praise_gap", "lexicon_hit_rate", "lexicon_hit_gap"
    }  # fmt: skip
    notes = [record.note for record in records if isinstance(record, Accounting)]
    assert "6 of" in notes[0]
    cases = [record for record in records if isinstance(record, Evidence)]
    assert len(cases) == 8
    assert all(len(case.shown) == 2 and BLANK in case.shown[0].texts[0] for case in cases)
    kept = next(record for record in records if isinstance(record, Outcomes))
    assert len(kept) == len(model.asked)
    assert any("kind" in words for found in records if isinstance(found, WordList) for words in found.groups.values())


def test_groups_are_compared_within_a_sentence():
    """A sentence in which everybody is praised does not favour the group that happens to stand in it."""

    def rule(text):
        odds = 50.0 if "always seems" in text else 1.0
        each = dict.fromkeys(PRAISE, odds / 100) | dict.fromkeys(BLAME, 1 / 100)
        return each | {"here": 0.1}

    found = Filled.ask(FakeFiller(rule=rule), AXES, terms=1, count=1)
    assert np.allclose(found.against_groups(), 0)


@pytest.mark.parametrize("wrong", [{"axes": ()}, {"axes": ("height",)}, {"count": 0}, {"terms": 0}])
def test_parameters_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=r"axes|count|terms"):
        FillIn(**wrong)
