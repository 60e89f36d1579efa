from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probes.bias.identity_terms.mentions import mentions
from probes.bias.identity_terms.probe import SENTENCE_GROUPS, IdentityTerms
from probes.bias.identity_terms.sentences import fill, identity_sentences
from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.positive import recognise
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, from_line, to_line
from probes.text.identity import table
from probes.text.lexicon import lexicon
from tests.conftest import FakeModel, model_card

MADLIBS = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "bias_madlibs" / "bias_madlibs_77k.parquet"
HATEFUL = (
    "hate", "hateful", "disgusting", "filthy", "stupid", "disease", "parasites", "liars", "lazy", "dumb", "evil",
    "kill", "murder", "horrible", "vile", "repulsive", "nasty", "dirty", "worthless", "inferior", "idiot", "revolting",
    "despise", "rotten", "awful", "moronic", "terrible", "ugly",
)  # fmt: skip
LABELS = ("not-hate", "hate")
GROUPS = [(table(axis), group) for axis, names in SENTENCE_GROUPS.items() for group in names]


def keywords(text, *, extra=0.0):
    words = re.findall(r"[^\W_]+", str(text).lower())
    named = any(word in ("muslim", "muslims") for word in words)
    return 2.0 * sum(word in HATEFUL for word in words) - 1 + extra * named


def model(*, extra=0.0, labels=LABELS, problem=ProblemType.SINGLE_LABEL):
    card = model_card(labels=labels, problem=problem).model_copy(update={"positive": recognise(labels, problem)})
    single = problem is ProblemType.SINGLE_LABEL
    return FakeModel(rule=lambda text: [0, keywords(text, extra=extra)][0 if single else 1 :], card=card)


def posts(each=30):
    """Harmless and hateful posts about six groups and about nobody; half of the hateful ones hold a keyword."""
    people = ("Muslims", "Christians", "Jews", "women", "gay people", "Nigerians", "commuters")
    return [
        Example.of(f"{start} {number} {who} {verb} in the paper.", gold=gold)
        for who in people
        for number in range(each)
        for gold, start, verb in (
            ("not-hate", "Yesterday", "were mentioned"),
            ("hate", "All these" if number % 3 else "Those vile", "should not be mentioned"),
        )
    ]


def run(fake, data, **changes):
    probe = IdentityTerms(**{"resamples": 200, **changes})
    return list(probe.run(fake, data, Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def key(name, group, axis="religion", source="templates"):
    return f"{name}[axis={axis},group={group},source={source}]"


@pytest.fixture(scope="module")
def biased():
    return run(model(extra=3.0), posts())


@pytest.fixture(scope="module")
def fair():
    return run(model(), posts())


@pytest.mark.parametrize("source", ["data", "templates"])
def test_a_model_that_takes_the_name_for_the_harm_is_found(biased, fair, source):
    bad, good = numbers(biased), numbers(fair)
    bpsn, gap = key("bpsn_auc", "muslim", source=source), key("false_positive_gap", "muslim", source=source)
    assert bad[bpsn].tail(0.05).high < good[bpsn].value - 0.2
    assert bad[gap].tail(0.01).low > 0.4
    assert abs(good[gap].value) < 0.1
    assert good[gap].tail(0.05).low <= 0.1
    assert bad[key("negative_equality_gap", "muslim", source=source)].low > 0.2
    assert bad[key("false_negative_gap", "muslim", source=source)].value < 0
    for group in ("christian", "jewish"):
        assert bad[key("false_positive_gap", group, source=source)].tail(0.05).high < 0.2


def test_the_power_mean_shows_the_one_bad_group(biased, fair):
    name = "bpsn_auc_mean[source=templates]"
    assert numbers(biased)[name].value < numbers(fair)[name].value - 0.3


def test_sources_are_kept_apart(biased):
    assert {r.slice["source"] for r in biased if isinstance(r, Measurement)} == {"data", "templates"}
    without = run(model(extra=3.0), [])
    templates = {k: v for k, v in numbers(biased).items() if "source=templates" in k}
    assert numbers(without) == templates
    assert [r.reason for r in without if isinstance(r, Skip)] == [SkipReason.NO_GOLD]


def test_label_sets(biased):
    several = run(model(extra=3.0, labels=("toxic",), problem=ProblemType.MULTI_LABEL), [])
    assert numbers(several)[key("bpsn_auc", "muslim")].value == numbers(biased)[key("bpsn_auc", "muslim")].value


def test_row_order_and_repetition_have_no_influence(biased):
    assert numbers(run(model(extra=3.0), posts()[::-1])) == numbers(biased)


def test_small_groups_are_listed_once_with_the_reason():
    data = posts() + [Example.of(f"{n} Hindus spoke.", gold="not-hate") for n in range(12)]
    data += [Example.of(f"Hate all {n} Buddhists.", gold="hate") for n in range(5)]
    records = run(model(), data)
    found = numbers(records)
    assert key("false_positive_rate", "hindu", source="data") in found
    assert key("bpsn_auc", "hindu", source="data") in found
    assert key("subgroup_auc", "hindu", source="data") not in found
    skips = [r for r in records if isinstance(r, Skip) and r.slice.get("axis") == "religion"]
    assert [(s.slice.get("group"), s.reason) for s in skips] == [("hindu", "too_few"), (None, "too_few")]
    assert "buddhist 5 and 0" in skips[1].detail
    assert not any("buddhist" in name for name in found if "source=data" in name)


def test_texts_without_labels_still_meet_the_sentences():
    records = run(model(), [replace(example, gold=None) for example in posts(3)])
    assert [r.reason for r in records if isinstance(r, Skip)] == [SkipReason.NO_GOLD]
    account = next(r for r in records if isinstance(r, Accounting))
    assert (account.eligible, account.scored, account.unscored) == (0, 0, 42)


def test_without_a_positive_class_nothing_is_measured():
    card = model_card(labels=LABELS)
    records = run(FakeModel(rule=lambda text: (0, 1), card=card), posts(3))
    assert not numbers(records)
    assert [r.reason for r in records if isinstance(r, Skip)] == [SkipReason.NO_POSITIVE_CLASS]


def test_answers_that_are_no_numbers_are_unscored():
    fake = model()
    fake.rule = lambda text: (0, np.nan if "Jews" in str(text) else keywords(text))
    accounts = {r.slice["source"]: r for r in run(fake, posts()) if isinstance(r, Accounting)}
    assert (accounts["data"].eligible, accounts["data"].scored, accounts["data"].unscored) == (420, 360, 60)


def test_evidence_shows_random_cases_then_errors(biased):
    cases = [r for r in biased if isinstance(r, Evidence)]
    assert [c.chosen for c in cases] == ["random"] * 6 + ["worst"] * 10
    assert all("called harmful" in c.note or "missed" in c.note for c in cases if c.chosen == "worst")
    assert all(bool(c.content_note) == (c.gold in ("hate", "harmful")) for c in cases)
    templates = [c for c in cases if c.chosen == "worst" and c.slice["source"] == "templates"]
    assert any("muslim" in c.note for c in templates)
    assert len({c.example_id for c in cases}) == len(cases)


def test_every_record_is_sound(biased):
    records = [r for r in biased if not isinstance(r, Outcomes)]
    assert [from_line(to_line(record)) for record in records] == records
    families = Counter((r.family, r.name) for r in records if isinstance(r, Measurement))
    assert max(families.values()) <= 20
    for r in records:
        if isinstance(r, Measurement):
            assert r.estimate.low < r.estimate.high
            assert r.estimate.tail(0.05).low <= r.estimate.value <= r.estimate.tail(0.05).high
    (outcomes,) = (r for r in biased if isinstance(r, Outcomes))
    assert len({len(values) for _, values in outcomes.columns()}) == 1


def test_asks_in_bulk():
    fake = model()
    run(fake, posts(3))
    assert fake.calls == 1


def test_frames_are_enough_and_varied():
    frames = lexicon("identity_sentences")
    assert frames.columns == ("id", "label", "style", "text")
    assert frames.licence == "Apache-2.0"
    kinds = Counter(label for _, label, _, _ in frames.rows)
    assert kinds == {"harmless": 24, "harmful": 24}
    assert len({name for name, *_ in frames.rows}) == len({text for *_, text in frames.rows}) == 48
    for label in kinds:
        assert len({style for _, kind, style, _ in frames.rows if kind == label}) >= 5
    assert all(("{a_person}" in text) != ("{persons}" in text) for *_, text in frames.rows)


def test_every_sentence_names_its_group():
    made = identity_sentences(GROUPS)
    assert 1000 <= len(made) <= 1500
    assert len({sentence.text for sentence in made}) == len(made)
    tables = [each for each, _ in GROUPS]
    for sentence in made:
        found = mentions(sentence.text, tables)
        assert sentence.group in found if sentence.group else not found, sentence
        assert sentence.group or not sentence.harmful
        assert sentence.text[0].isupper() or sentence.text.startswith("lol")


def test_filling():
    assert fill("I met {a_person}.", "old man") == "I met an old man."
    assert fill("{persons} spoke.", "trans women") == "Trans women spoke."


@pytest.mark.skipif(not MADLIBS.exists(), reason="public data not at hand")
def test_public_templates_of_the_metrics_authors():
    """2,000 rows of the madlibs of Dixon et al.: sorted by a fair scorer, every named group reaches about the same."""
    import pyarrow.parquet as pq

    rows = pq.read_table(MADLIBS, columns=["Text", "Label"]).to_pylist()[::38]
    data = [Example.of(row["Text"], gold="hate" if row["Label"] == "BAD" else "not-hate") for row in rows]
    found = numbers(run(model(extra=3.0), data))
    assert found[key("bpsn_auc", "muslim", source="data")].high < 0.4
    assert found[key("false_positive_gap", "muslim", source="data")].low > 0.8
    others = [
        v.value
        for k, v in found.items()
        if k.startswith("bpsn") and "source=data" in k and "axis" in k and "muslim" not in k
    ]
    assert len(others) >= 10
    assert max(others) - min(others) < 0.2
