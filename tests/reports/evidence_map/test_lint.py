"""The maps that ship are sound, and each kind of defect is found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from probes.core.errors import UsageError
from probes.registry import load_registry
from reports.evidence_map.instrument import instrument, instrument_ids, never, refuse_unknown
from reports.evidence_map.lint import lint, shipped
from reports.vocabulary import banned_words

PROBES = tuple(load_registry().probes)
SOUND = """\
instrument:
  id: law
  title: A law
  version: of 2026
  status: in_force
  applies_from: {new rules: 2027-01-01}
  verified_on: 2026-11-01
  source: its text
  reviewer: null
clauses:
  - id: "1"
    title: Tests
    applies: [new rules]
    evidence:
      - {check_glob: bias.*, relation: D, what: differences between groups}
      - {section: policy, relation: R, what: thresholds}
      - {relation: N, what: the audit itself}
    limits: Groups as labelled.
    human_needed: [counsel]
  - id: "2"
    title: Records
    evidence:
      - {section: integrity, relation: R, what: digests}
    limits: One run.
    human_needed: [archive]
"""
NEVER = "never:\n  - {what: Purpose, why: A decision, who: owner, asked_by: {law: ['1']}}\n"


def problems(text: str = SOUND, never_text: str = NEVER, *, day: date | None = None, **more: str) -> list[str]:
    files: Mapping[str, str] = {"law.yaml": text, "never.yaml": never_text, **more}
    return [complaint.problem for complaint in lint(files, probes=PROBES, day=day)]


def test_the_maps_that_ship_are_sound():
    assert lint(shipped(), probes=PROBES) == ()
    assert {"eu-ai-act", "nist-ai-rmf", "nist-ai-600-1", "iso-42001", "iso-24027", "iso-24029-1", "iso-25059",
            "nyc-ll144", "ai-verify"} <= set(instrument_ids())  # fmt: skip


def test_a_sound_map_has_no_defect():
    assert problems() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("check_glob: bias.*", "check_glob: biases.*", "no probe is called 'biases.*'"),
        ("check_glob: bias.*", "check_glob: robustness.typo", "no probe is called 'robustness.typo'"),
        ("    limits: One run.\n", "", "line 20: clauses.1.limits: Field required"),
        ("limits: One run.", "limits: ' '", "clauses.1.limits: String should have at least 1 character"),
        ("title: Records", "title: Records of a compliant model", "'compliant' is the word of a verdict"),
        ("limits: One run.", "limits: The model is safe.", "'safe' is the word of a verdict"),
        ("new rules", "certified tools", "'certified' is the word of a verdict"),
        ("status: in_force", "status: proposed", "instrument.status: Input should be 'in_force'"),
        ("relation: D", "relation: X", "clauses.0.evidence.0.relation: Input should be"),
        ('id: "2"', 'id: "1"', "the clause stands there twice"),
        ("{section: policy, relation: R, what: thresholds}", "{check_glob: bias.*, relation: D, what: again}",
         "the evidence stands there twice: bias.* D"),
        ("  id: law", "  id: other", "the id is not the name of the file"),
        ("  id: law", "  id: law\n  id: law", 'duplicate key "id"'),
        ("applies: [new rules]", "applies: [old rules]", "applies_from has no 'old rules'"),
        ("{relation: N, what", "{section: policy, relation: N, what", "a row with relation N names no probes"),
        ("{section: policy, relation: R", "{relation: R", "a row names either probes (check_glob) or a section"),
        ("section: policy", "section: nowhere", "clauses.0.evidence.1.section: Input should be"),
        ("      - {section: integrity, relation: R, what: digests}\n", "      []\n", "it names no evidence"),
        ("  reviewer: null\n", "", "instrument.reviewer: Field required"),
        ("verified_on: 2026-11-01", "verified_on: lately", "instrument.verified_on: Input should be a valid date"),
    ],
)  # fmt: skip
def test_each_defect_is_found(old, new, said):
    assert old in SOUND
    found = problems(SOUND.replace(old, new))
    assert any(said in problem for problem in found), found


def test_a_map_is_stale_after_180_days():
    assert problems(day=date(2027, 4, 30)) == []
    (said,) = problems(day=date(2027, 5, 1))
    assert "Last checked on 2026-11-01, 181 days before 2027-05-01" in said


def test_two_files_of_one_instrument_are_found():
    assert "two files describe one instrument" in problems(**{"twin.yaml": SOUND})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("['1']", "['3']", "law has no clause '3'"),
        ("law:", "rule:", "rule has no clause '1'"),
        ("A decision", "Proves nothing", "'Proves' is the word of a verdict"),
        (NEVER.splitlines()[1], NEVER.splitlines()[1] + "\n" + NEVER.splitlines()[1], "it stands there twice"),
    ],
)
def test_the_list_of_what_is_never_supplied_is_looked_at_too(old, new, said):
    assert said in problems(never_text=NEVER.replace(old, new))


def test_every_defect_is_told_with_its_place():
    files = {"law.yaml": SOUND.replace("bias.*", "x.*").replace("One run.", "All is fair."), "never.yaml": NEVER}
    found = lint(files, probes=PROBES)
    assert [(one.file, one.where) for one in found] == [("law.yaml", "1"), ("law.yaml", "law")]


@pytest.mark.parametrize("name", instrument_ids())
def test_every_clause_says_what_is_open_and_who_is_needed(name):
    for clause in instrument(name).clauses:
        assert clause.limits
        assert clause.human_needed
        assert clause.evidence


@pytest.mark.parametrize("name", instrument_ids())
def test_no_map_is_of_direct_evidence_only(name):
    relations = {row.relation for clause in instrument(name).clauses for row in clause.evidence}
    assert "N" in relations


@pytest.mark.parametrize("name", [name for name in instrument_ids() if name.startswith("iso-")])
def test_standards_that_were_not_read_say_so(name):
    one = instrument(name)
    assert "not read" in one.instrument.source
    assert any(clause.number_from_memory for clause in one.clauses)


def test_what_is_never_supplied_covers_the_known_gaps():
    said = " ".join(row.what for row in never()).lower()
    for gap in ("purpose", "impact", "management system", "oversight", "consent", "logs", "monitoring", "incidents",
                "security", "independence", "unlawful", "acceptable"):  # fmt: skip
        assert gap in said


def test_topics_are_no_verdicts():
    assert banned_words("Fairness, safety and unfair treatment; failing safely is not safe") == ("safe",)
    assert banned_words("It conforms, complies, satisfies and guarantees") == (
        "conforms", "complies", "satisfies", "guarantees",
    )  # fmt: skip


def test_an_unknown_instrument_is_refused_with_the_closest_ones():
    refuse_unknown("eu-ai-act", where="here")
    with pytest.raises(UsageError, match=r"audit\.yaml, line 3: no instrument called 'eu-ai-atc'") as caught:
        refuse_unknown("eu-ai-atc", where="audit.yaml, line 3")
    assert caught.value.hint == "did you mean eu-ai-act?"
