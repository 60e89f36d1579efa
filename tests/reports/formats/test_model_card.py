"""The section for a model card, read back by the library of the Hub."""

from __future__ import annotations

import pytest
from huggingface_hub import ModelCard

from probes.core.records import Better, Measurement
from reports.formats.model_card import model_card
from reports.load import load
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs


def card(loaded) -> ModelCard:
    return ModelCard(model_card(loaded).decode(), ignore_metadata_errors=False)


def test_the_hub_reads_the_numbers_as_they_were_measured(situation):
    loaded = situation("passing")
    whole = [
        record
        for _, record in loaded.records()
        if isinstance(record, Measurement) and not record.slice and record.better is not Better.CONTEXT
    ]
    found = card(loaded).data.eval_results
    assert [(result.metric_type, result.metric_value) for result in found] == [
        (record.name, record.estimate.value) for record in whole
    ]
    assert {result.dataset_name for result in found} == {"support tickets, test split"}
    assert {result.task_type for result in found} == {"text-classification"}


def test_each_number_names_its_interval_and_its_n(situation):
    for result in card(situation("passing")).data.eval_results:
        assert "95% interval" in result.metric_name
        assert "n = " in result.metric_name


def test_the_section_names_model_digest_and_limits(situation):
    loaded = situation("rich")
    text = card(loaded).text
    assert loaded.manifest.model.fingerprint in text
    assert loaded.verdict.policy_digest in text
    assert "hold for items like the audit data" in text


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_hostile_text_changes_no_metadata(attack, attacked):
    data = card(attacked(attack)).data
    assert set(data.to_dict()) == {"model-index"}
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value, result.verified) == ("flip_rate", 0.8, None)


def test_data_of_the_hub_are_named_with_their_revision(tmp_path):
    steps = [synthetic.Step("performance.quality", "Quality", synthetic.quality_records())]
    data = synthetic.data_card(source="org/reviews", revision="abc123")
    result = card(load(synthetic.write(tmp_path / "run", steps, [], data=data))).data.eval_results[0]
    assert (result.dataset_type, result.dataset_revision) == ("org/reviews", "abc123")


def test_without_numbers_there_is_no_front_matter(situation):
    assert model_card(situation("everything skipped")).startswith(b"## Audit results")
