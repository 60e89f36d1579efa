"""The first page has little room, and says whole things all the same."""

from __future__ import annotations

import pytest

from audits.planning.budget import fit_budget
from audits.planning.rehearsal import Questions
from probes.core.audit_card import AuditCard
from probes.core.findings import Status
from reports.limits import Limits
from reports.load import load
from reports.page import page
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, check, measured, plain

LONG = "how often a simple classifier tells a text of this kind from an in-domain one, where half is guessing"


def first_page(folder, findings=None, **changes):
    step = Step("robustness.typos", "Typos", [measured("accuracy", "accuracy", plain(0.8, 0.1))])
    return page(load(synthetic.write(folder, [step], findings, **changes)), limits=Limits()).decision


def budget_note():
    counts = {f"robustness.p{k}": 12_345 for k in range(3)}
    rates = {name: Questions(own=30.0, new=30.0) for name in counts}
    return fit_budget(counts, rates, seconds=36_000, seconds_per_call=0.1)[1][0]


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("Short. And whole", "Short. And whole"),
        ("It fits, e.g. This. " + "Word " * 40 + ".", "It fits, e.g. This. …"),
        ("One. Two! " + "Word " * 40 + ". Three.", "One. Two! …"),
        ("word " * 40, " ".join(["word"] * 21) + "…"),
    ],
)
def test_a_long_note_keeps_its_first_sentences(tmp_path, note, shown):
    assert first_page(tmp_path, notes=(note,)).notes[0] == shown


def test_the_note_of_a_time_budget_ends_with_a_sentence(tmp_path):
    shown = first_page(tmp_path, notes=(budget_note(),)).notes[0]
    assert shown.startswith("The time budget of 36000 s cut the samples to ")
    assert shown.endswith(" items a probe. …")


def test_a_headline_with_a_long_title_names_the_number_in_a_word(tmp_path):
    part = {"domain": "mails"}
    finding = check("robustness.typos", f"{LONG} (domain mails)", status=Status.FAIL, estimate=plain(0.9, 0.05),
                    maximum=0.5, name="classifier_auc", part=part)  # fmt: skip
    (headline,) = first_page(tmp_path, [finding]).headlines
    assert headline.title == "Typos: Classifier AUC (domain mails)"


def test_of_many_declared_risks_those_that_fit_are_named_and_the_others_counted(tmp_path):
    risks = ("prompted misuse by customers", "texts in a language that the data lack", "x" * 80, "another")
    untested = first_page(tmp_path, card=AuditCard(unmeasured_risks=risks)).untested
    (told,) = [fact.value for fact in untested if fact.name == "Declared as outside these tests"]
    assert told == f"{risks[0]}; {risks[1]} and 2 more"
