"""Every registered probe, built-in or plug-in, must pass these: they are what the rest of the system relies on."""

from __future__ import annotations

import re

import pytest

from probes.core.answers import ProblemType
from probes.core.probe import Context, Probe
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, from_line, to_line
from probes.registry import load_registry

PROBES = list(load_registry().probes.values())


@pytest.fixture(params=PROBES, ids=lambda probe: probe.info.id)
def probe(request: pytest.FixtureRequest) -> Probe:
    return request.param


def records_of(probe, model, data, seed=0):
    return list(probe.run(model, data, Context(probe=probe.info.id, seed=seed)))


def comparable(records):
    return [
        to_line(r) if not isinstance(r, Outcomes) else [list(map(str, values)) for _, values in r.columns()]
        for r in records
    ]


def test_id_names_its_risk(probe):
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", probe.info.id)
    assert probe.info.id.startswith(probe.info.risk + ".")
    assert probe.info.version >= 1
    assert probe.info.calls > 0


def test_documentation_is_complete(probe):
    doc = probe.info.doc
    assert doc.question.endswith("?")
    for text in (doc.measures, doc.why, doc.method, doc.limits, doc.references):
        assert len(text) > 20


def test_same_seed_same_records(probe, fake_model, sentiment_examples):
    first = records_of(probe, fake_model, sentiment_examples)
    assert comparable(first) == comparable(records_of(probe, fake_model, sentiment_examples))


def test_asks_in_bulk(probe, fake_model, sentiment_examples):
    records_of(probe, fake_model, sentiment_examples)
    assert 1 <= fake_model.calls <= 40


def test_records_survive_json(probe, fake_model, sentiment_examples):
    records = [r for r in records_of(probe, fake_model, sentiment_examples) if not isinstance(r, Outcomes)]
    assert records
    assert [from_line(to_line(record)) for record in records] == records


def test_measurement_keys_are_unique_and_carry_bounds(probe, fake_model, sentiment_examples):
    measurements = [r for r in records_of(probe, fake_model, sentiment_examples) if isinstance(r, Measurement)]
    keys = [m.key for m in measurements]
    assert len(keys) == len(set(keys))
    for m in measurements:
        assert m.estimate.tail(0.05).low <= m.estimate.value <= m.estimate.tail(0.05).high


def test_accounting_is_published_and_adds_up(probe, fake_model, sentiment_examples):
    accounts = [r for r in records_of(probe, fake_model, sentiment_examples) if isinstance(r, Accounting)]
    assert accounts
    for account in accounts:
        steps = [account.eligible, account.perturbed, account.kept, account.scored]
        counted = [step for step in steps if step is not None]
        assert counted == sorted(counted, reverse=True)


def test_random_cases_come_before_the_worst(probe, fake_model, sentiment_examples):
    chosen = [r.chosen for r in records_of(probe, fake_model, sentiment_examples) if isinstance(r, Evidence)]
    assert chosen == sorted(chosen, key=["random", "worst"].index)


def test_row_order_has_no_influence(probe, fake_model, sentiment_examples):
    def numbers(data):
        return {r.key: r.estimate.value for r in records_of(probe, fake_model, data) if isinstance(r, Measurement)}

    forward, backward = numbers(sentiment_examples), numbers(sentiment_examples[::-1])
    assert forward.keys() == backward.keys()
    for key, value in forward.items():
        assert backward[key] == pytest.approx(value, abs=1e-12)


def test_data_without_gold_gives_records_or_a_reason(probe, fake_model, sentiment_examples):
    from dataclasses import replace

    if probe.info.gold:
        pytest.skip("planned only for labelled data")
    unlabelled = [replace(example, gold=None) for example in sentiment_examples]
    records = records_of(probe, fake_model, unlabelled)
    assert any(isinstance(r, Measurement | Curve | Skip) for r in records)


def test_one_item_is_never_a_confident_number(probe, fake_model, sentiment_examples):
    for record in records_of(probe, fake_model, sentiment_examples[:1]):
        if isinstance(record, Measurement) and record.better != "context":
            assert record.estimate.high > record.estimate.low


def test_applies_to_some_problem(probe):
    assert probe.info.problems
    assert probe.info.problems <= set(ProblemType)
