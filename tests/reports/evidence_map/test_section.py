"""The evidence map of a report: what is found, what is blank, what is old, and never a verdict on a clause."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta

import pytest

from probes.core.findings import Status
from probes.core.manifest import PlannedSkip
from probes.core.records import Skip, SkipReason
from probes.core.run_folder import RunFolder
from reports import render
from reports.evidence_map.dates import ahead, day_of, staleness, status_on
from reports.evidence_map.found import found_in
from reports.evidence_map.instrument import Clause, Header, instrument, instrument_ids
from reports.evidence_map.section import MEMORY, SCOPE, UNREVIEWED, evidence_map
from reports.limits import LADDER, Limits
from reports.load import load
from reports.vocabulary import banned_words
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, check, measured, plain, share

CHECKED = instrument("eu-ai-act").instrument.verified_on


def changed(run: RunFolder, *, created: str | None = None, instruments: tuple[str, ...] | None = None) -> RunFolder:
    """The run with another day, or with instruments named on its card."""
    manifest = json.loads(run.manifest_path.read_text())
    if created is not None:
        manifest["created"] = created
    if instruments is not None:
        manifest["card"] = {"instruments": instruments}
    run.manifest_path.write_text(json.dumps(manifest))
    verdict = json.loads(run.findings_path.read_text())
    run.findings_path.write_text(json.dumps(verdict | {"as_of": None}))
    return run


def small(folder) -> RunFolder:
    """Three probes of bias: one with a pass and a fail, one that measured nothing, one left out; and one of quality."""
    numbers = [measured("gap", "gap", plain(0.1, 0.02))]
    few = Skip(reason=SkipReason.TOO_FEW, detail="Few.", name="gap")
    steps = [
        Step("bias.groups", "Groups in the data", numbers),
        Step("bias.templates", "Templates", [few]),
        Step("performance.quality", "Quality", numbers),
    ]
    findings = [
        check("bias.groups", "gap", status=Status.PASS, estimate=share(4, 90), maximum=0.1, name="a"),
        check("bias.groups", "gap", status=Status.FAIL, estimate=share(40, 90), maximum=0.1, name="b"),
        check("bias.templates", "gap", status=Status.NOT_RUN, maximum=0.1, name="gap"),
    ]
    left_out = PlannedSkip(
        probe="bias.embedding", risk="bias", title="Embedding", skip=Skip(reason=SkipReason.NOT_SELECTED, detail="No.")
    )
    return synthetic.write(folder, steps, findings, skips=[left_out], exit_code=1)


def section(html: str) -> str:
    return html[html.index('<section id="evidence-map"') : html.index('<section id="reproduce"')]


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture(scope="module")
def rich(files) -> str:
    return files["rich"].read_bytes().decode()


def test_what_a_pattern_finds_is_counted_and_linked(tmp_path):
    loaded = load(small(tmp_path))
    found = found_in(loaded, ["bias.*", "bias.templates", "toxicity.*", "performance.*"], limits=Limits())
    assert found["bias.*"].text == "Numbers from 1 of 3 probes. 3 checks: 1 pass, 1 fail, 1 not run."
    assert [(link.text, link.anchor) for link in found["bias.*"].links] == [
        ("Groups in the data", "probe-bias-groups"),
        ("Templates", "probe-bias-templates"),
        ("Not run", "not-run"),
    ]
    assert found["bias.templates"].text == "Numbers from none of 1 probe. 1 check: 1 not run."
    assert (found["toxicity.*"].text, found["toxicity.*"].links) == ("No such probe was in the plan.", ())
    assert found["performance.*"].text == "Numbers from 1 of 1 probe."
    assert [name for name, one in found.items() if one.measured] == ["bias.*", "performance.*"]


def test_chapters_with_failed_checks_are_linked_first_and_only_those_that_are_shown(tmp_path):
    loaded = load(synthetic.rich(tmp_path))
    failing = {finding.probe for finding in loaded.findings if finding.status is Status.FAIL}
    links = found_in(loaded, ["robustness.*"], limits=Limits())["robustness.*"].links
    titles = [step.title for step in loaded.manifest.steps if step.probe in failing and step.risk == "robustness"]
    assert [link.text for link in links[:3]] == titles[:3]
    assert (links[3].text, links[3].anchor) == ("29 more", "chapters")
    cut = found_in(loaded, ["robustness.*"], limits=Limits(chapters=3))["robustness.*"].links
    assert [link.text for link in cut] == [loaded.manifest.steps[2].title, "Not run"]


def test_a_broken_step_gives_no_numbers(tmp_path):
    loaded = load(synthetic.rich(tmp_path))
    found = found_in(loaded, ["robustness.paraphrase"], limits=Limits())["robustness.paraphrase"]
    assert found.text == "Numbers from none of 1 probe. 1 check: 1 error."
    assert not found.measured


HEADER = Header(
    id="x", title="X", version="1", status="in_force", verified_on=date(2026, 6, 1), source="s", reviewer=None,
    applies_from={"a": date(2026, 8, 2), "b": date(2027, 12, 2)},
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "day", "word"),
    [
        ("in_force", date(2026, 8, 1), "Not yet applicable"),
        ("in_force", date(2026, 8, 2), "In force in part"),
        ("in_force", date(2027, 12, 2), "In force"),
        ("in_force", None, "In force"),
        ("adopted_not_yet_applicable", date(2026, 8, 2), "Adopted, not yet applicable"),
        ("adopted_not_yet_applicable", date(2027, 12, 2), "Adopted; its date has passed"),
        ("voluntary", date(2026, 8, 2), "Voluntary"),
        ("draft", date(2030, 1, 1), "Draft"),
        ("superseded", date(2030, 1, 1), "Superseded"),
    ],
)
def test_the_legal_status_is_that_of_the_day(status, day, word):
    assert status_on(Header.model_validate(HEADER.model_dump() | {"status": status}), day).word == word


@pytest.mark.parametrize(
    ("applies", "day", "since"),
    [
        (("b",), date(2027, 12, 1), "b from 2027-12-02"),
        (("b",), date(2027, 12, 2), ""),
        (("b", "a"), date(2026, 8, 1), "a from 2026-08-02; b from 2027-12-02"),
        (("b", "a"), date(2026, 8, 2), ""),
        ((), date(2026, 8, 1), ""),
        (("b",), None, ""),
    ],
)
def test_a_clause_does_not_apply_before_the_first_of_its_dates(applies, day, since):
    clause = Clause(id="1", title="t", applies=applies, evidence=(), limits="l", human_needed=())
    assert ahead(clause, HEADER, day) == since


def test_the_day_is_that_of_the_verdict_or_else_of_the_run_and_never_today(tmp_path):
    run = changed(synthetic.passing(tmp_path), created="2026-11-20T11:40:03Z")
    assert day_of(load(run)) == date(2026, 11, 20)
    verdict = json.loads(run.findings_path.read_text())
    run.findings_path.write_text(json.dumps(verdict | {"as_of": "2027-03-01"}))
    assert day_of(load(run)) == date(2027, 3, 1)
    assert "Dates are compared with 2027-03-01, the day on which this run was judged." in words(render(run).decode())
    assert day_of(load(changed(run, created="no date"))) is None
    assert "no date was compared with it" in words(render(run).decode())


def test_clauses_become_applicable_with_the_day_of_the_run(tmp_path):
    early = render(changed(synthetic.passing(tmp_path / "a"), created="2026-11-20T11:40:03Z")).decode()
    late = render(changed(synthetic.passing(tmp_path / "b"), created="2028-08-02T00:00:00Z")).decode()
    clause = "Art. 9(8) Tests against metrics and probabilistic thresholds fixed beforehand"
    assert f"{clause} Not yet applicable high-risk systems of Annex III from 2027-12-02" in words(section(early))
    assert clause in words(section(late))
    assert "In force in part" in words(section(early))
    assert "Not yet applicable" not in section(late)
    assert "In force in part" not in section(late)


def test_an_old_map_warns_and_a_fresh_one_does_not(tmp_path):
    last = CHECKED + timedelta(days=180)
    fresh = render(changed(synthetic.passing(tmp_path / "a"), created=f"{last}T00:00:00Z")).decode()
    stale = render(changed(synthetic.passing(tmp_path / "b"), created=f"{last + timedelta(days=1)}T00:00:00Z")).decode()
    assert "Last checked on 2026" not in section(fresh)
    assert section(stale).count(f"Last checked on {CHECKED}, 181 days before {last + timedelta(days=1)}") == len(
        instrument_ids()
    )
    assert staleness(HEADER, None) == ""


def test_a_new_render_on_any_day_has_the_same_bytes(tmp_path):
    run = synthetic.rich(tmp_path / "a")
    before = render(run)
    shutil.copytree(run.path, tmp_path / "b")
    assert render(RunFolder(tmp_path / "b")) == before


def test_the_section_says_once_that_it_decides_nothing(rich):
    text = words(section(rich).replace("&#39;", "'"))
    assert text.count(SCOPE) == 1
    assert "this is not legal advice" in text
    assert "Not reviewed by counsel: every map below." in text
    assert text.count(UNREVIEWED.word) == 1 + len(instrument_ids())
    assert "Read by counsel nobody" in text
    order = [rich.index(f'<section id="{name}"') for name in ("limitations", "evidence-map", "reproduce")]
    assert order == sorted(order)
    assert '<a href="#evidence-map">' in rich[: rich.index("<main")]


def test_a_map_that_counsel_has_read_names_the_reader(tmp_path, monkeypatch):
    read = instrument("nyc-ll144")
    read = read.model_copy(update={"instrument": read.instrument.model_copy(update={"reviewer": "A. Jurist"})})
    real = instrument
    monkeypatch.setattr("reports.evidence_map.section.instrument", lambda n: read if n == "nyc-ll144" else real(n))
    run = changed(synthetic.passing(tmp_path), instruments=("nyc-ll144", "ai-verify"))
    view = evidence_map(load(run), limits=Limits())
    assert view.banner == "Not reviewed by counsel: AI Verify."
    law, framework = view.instruments
    assert UNREVIEWED not in law.badges
    assert UNREVIEWED in framework.badges
    assert "A. Jurist" in [fact.value for fact in law.facts]
    run = changed(run, instruments=("nyc-ll144",))
    assert evidence_map(load(run), limits=Limits()).banner == ""


def test_every_clause_is_there_with_its_limits_blanks_included(rich):
    text = words(section(rich).replace("&#39;", "'"))
    for name in instrument_ids():
        for clause in instrument(name).clauses:
            assert f"{clause.id} {clause.title}" in text
            assert " ".join(clause.limits.split()) in text
            for row in clause.evidence:
                assert row.what in text
    assert text.count("N (not supplied)") == 1 + sum(
        row.relation == "N" for n in instrument_ids() for c in instrument(n).clauses for row in c.evidence
    )
    memory = sum(c.number_from_memory for name in instrument_ids() for c in instrument(name).clauses)
    assert text.count(MEMORY) == memory > 0


def test_what_is_never_supplied_has_its_own_table(rich):
    text = words(section(rich))
    assert "What this tool can never evidence" in text
    assert "Logs of the system in use" in text
    assert "EU AI Act Art. 12; ISO/IEC 42001 A.6.2.8" in text


def test_no_word_of_a_verdict_is_in_the_section(rich):
    assert banned_words(words(section(rich))) == ()


@pytest.mark.parametrize("name", ["rich", "unjudged", "everything skipped", "hostile"])
def test_the_links_of_the_section_lead_somewhere(files, name):
    html = files[name].read_bytes().decode()
    links = set(re.findall(r'href="#([^"]+)"', section(html)))
    assert {"policy", "integrity", "map-eu-ai-act"} <= links
    assert links <= set(re.findall(r' id="([^"]+)"', html))


def test_sections_that_a_map_may_name_are_in_every_report(files):
    html = files["everything skipped"].read_bytes().decode()
    named = {row.section for n in instrument_ids() for c in instrument(n).clauses for row in c.evidence if row.section}
    assert named <= set(re.findall(r'<section id="([^"]+)"', html))


def test_a_card_that_names_instruments_shows_these_only(tmp_path):
    run = changed(synthetic.passing(tmp_path), instruments=("nyc-ll144", "iso-42001", "nyc-ll144"))
    view = evidence_map(load(run), limits=Limits())
    assert [one.id for one in view.instruments] == ["nyc-ll144", "iso-42001"]
    text = words(section(render(run).decode()))
    assert "Only the instruments that the audit card names are shown." in text
    assert "ISO/IEC 42001 A.6.2.8" in text
    assert not re.search("EU AI Act|NIST", text)


def test_an_instrument_of_another_version_is_told_and_does_not_break_the_report(tmp_path):
    view = evidence_map(load(changed(synthetic.passing(tmp_path / "a"), instruments=("old-law",))), limits=Limits())
    assert len(view.instruments) == len(instrument_ids())
    assert len(view.notes) == 2
    assert "no map of: old-law" in view.notes[-1]
    view = evidence_map(
        load(changed(synthetic.passing(tmp_path / "b"), instruments=("a", "iso-42001"))), limits=Limits()
    )
    assert [one.id for one in view.instruments] == ["iso-42001"]
    assert len(view.notes) == 3


def test_the_tables_are_folded_and_cut_when_a_report_is_too_large(tmp_path, rich):
    assert section(rich).count("<details>") == len(instrument_ids())
    assert len(section(rich)) < 200_000
    view = evidence_map(load(synthetic.rich(tmp_path)), limits=LADDER[-1])
    most = LADDER[-1].rows
    for one in view.instruments:
        assert len(one.clauses) <= most
        assert bool(one.note) == (len(instrument(one.id).clauses) > most)


def test_the_summary_counts_clauses_with_numbers(tmp_path):
    view = evidence_map(load(small(tmp_path)), limits=Limits())
    summary = {one.id: one.summary for one in view.instruments}
    assert summary["nyc-ll144"] == "9 clauses; numbers of this run stand beside 5 of them"
    assert summary["iso-24029-1"] == "4 clauses; numbers of this run stand beside 0 of them"
