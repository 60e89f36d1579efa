"""What was not measured, what was judged and what a reviewer is asked: named, counted apart, in whole sentences."""

from __future__ import annotations

import re

import pytest

from probes.core.findings import Level, Status
from probes.core.manifest import PlannedSkip
from probes.core.records import Evidence, Shown, Skip, SkipReason, Unit
from reports import render
from reports.limits import Limits
from reports.load import load
from reports.not_run import counted, not_run
from reports.page import page
from reports.ranking import ranked
from reports.wording import AIDS, GLOSSARY
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, check, measured, plain

LEFT_OUT = Skip(reason=SkipReason.NOT_SELECTED, detail="It was left out.", enable="leave out --only")
FEW = Skip(reason=SkipReason.TOO_FEW, detail="Only 3 items.", name="flip_rate", slice={"severity": "2"})


def run_of(folder, records=(), findings=(), skips=(), **changes):
    """One probe that finished, with probes that were left out."""
    step = Step("robustness.typos", "Typos", [measured("accuracy", "accuracy", plain(0.8, 0.1)), *records])
    rows = [PlannedSkip(probe=probe, risk=probe.split(".")[0], title=probe, skip=LEFT_OUT) for probe in skips]
    return synthetic.write(folder, [step], findings, skips=rows, **changes)


def missing_of(run):
    loaded = load(run)
    return not_run(loaded, ranked(loaded.findings, titles=loaded.titles))


def tables_of(run):
    return {t.caption: [row.cells[0] for row in t.rows] for t in page(load(run), limits=Limits()).not_run}


def absent(name, message, *, level=Level.BLOCK, part=None):
    probe, _, key = name.rpartition(".")
    return check(probe, name, status=Status.NOT_RUN, message=message, level=level, name=key, part=part)


def test_probes_single_numbers_and_checks_are_counted_and_listed_apart(tmp_path):
    findings = [absent("robustness.gone.flip_rate", "No measurement of this run has that name.")]
    run = run_of(tmp_path, [FEW], findings, skips=["bias.names", "bias.groups"])
    assert counted(missing_of(run)) == "2 probes, 1 single number, 1 check"
    assert [[cell.text for cell in cells] for cells in tables_of(run).values()] == [
        ["bias.names", "bias.groups"],
        ["Typos: flip rate (severity 2)"],
        ["robustness.gone.flip_rate"],
    ]
    assert "Decide whether what was not measured matters (2 probes, 1 single number, 1 check)" in render(run).decode()


def test_what_was_not_measured_names_the_checks_that_wanted_it_once(tmp_path):
    findings = [
        absent("bias.names.disparity", "It was left out."),
        absent("bias.names.flip_rate", "It was left out.", level=Level.WARN),
        absent("robustness.typos.flip_rate", "Only 3 items.", part={"severity": "2"}),
    ]
    run = run_of(tmp_path, [FEW], findings, skips=["bias.names"])
    (probe,), (number,) = tables_of(run).values()
    assert probe.sub == (
        "bias.names. Checks that could not be made: bias.names.disparity (blocking), bias.names.flip_rate (warning)"
    )
    assert number.sub.endswith("Check that could not be made: robustness.typos.flip_rate[severity=2] (blocking)")


def test_a_check_stands_beside_its_own_number_where_others_have_the_same_reason(tmp_path):
    first = FEW.model_copy(update={"slice": {"severity": "1"}})
    finding = absent("robustness.typos.flip_rate", "Only 3 items.", part={"severity": "2"})
    run = run_of(tmp_path, [first, FEW], [finding.model_copy(update={"title": "Typos: flip rate (severity 2)"})])
    assert [bool(number.checks) for number in missing_of(run)] == [False, True]


def test_a_check_that_was_not_made_is_a_result_under_its_own_name_with_the_reason(tmp_path):
    run = run_of(tmp_path, [], [absent("bias.names.disparity", "It was left out.")], skips=["bias.names"])
    (risk,) = page(load(run), limits=Limits()).results
    assert risk.checks.rows[0].cells[0].sub == "bias.names.disparity: It was left out."


@pytest.mark.parametrize(
    ("situation", "told"),
    [
        ("unjudged", "2 of 4 planned probes finished. No policy was applied, so no check was made."),
        ("everything skipped", "No probe was planned. The policy has no check that applies."),
        (
            "no gold",
            "1 of 1 planned probe finished. 2 of 3 checks were made. 2 passes mean only that no violation was shown.",
        ),
    ],
)
def test_the_first_page_says_how_much_was_done_in_whole_sentences(tmp_path, situation, told):
    total = page(load(synthetic.SITUATIONS[situation](tmp_path)), limits=Limits()).decision.total
    assert total.startswith(told), total


def example(*texts, chosen="random"):
    return Evidence(example_id="a", chosen=chosen, shown=tuple(Shown(texts=(t,), answer="x") for t in texts))


@pytest.mark.parametrize(
    ("evidence", "task"),
    [
        ([example("as it is", "as it iz")], "would a careful reader give the same answer to the changed text?"),
        ([example("as it is")], "would a careful reader give the answer that the model gave?"),
        ([example("a", "b", chosen="worst"), example("c")], "would a careful reader give the answer that the model"),
    ],
)
def test_a_changed_text_is_asked_about_only_where_one_is_shown(tmp_path, evidence, task):
    tasks = page(load(run_of(tmp_path, evidence)), limits=Limits()).decision.tasks
    (found,) = [item.value for item in tasks if item.name == "Read the random examples"]
    assert found.startswith(task)


def test_a_pass_is_spoken_of_only_where_something_was_judged(tmp_path):
    judged = check("robustness.typos", "accuracy", status=Status.PASS, estimate=plain(0.8, 0.1), minimum=0.5)
    headings = {}
    for name, run in {
        "judged": run_of(tmp_path / "a", [], [judged]),
        "measured": run_of(tmp_path / "b", [], None),
        "nothing": synthetic.write(tmp_path / "c", [Step("robustness.typos", "Typos", [FEW])], None),
    }.items():
        html = render(run).decode()
        headings[name] = [title for title in re.findall(r"<h5>([^<]+)</h5>", html) if re.search(r"\bnot\b", title)]
    assert headings["judged"] == ["What a pass does not mean"]
    assert headings["measured"] == ["What these numbers do not show"]
    assert "What a pass does not mean" not in headings["nothing"]


def test_hard_numbers_say_which_values_are_good(tmp_path):
    records = [measured(name, name, plain(-0.1, 0.05), unit=Unit.SCORE) for name in ("infidelity", "sufficiency")]
    chapter = page(load(run_of(tmp_path, records)), limits=Limits()).chapters[0].chapters[0]
    assert chapter.aids == (AIDS["infidelity"], AIDS["sufficiency"])
    assert AIDS["sufficiency"].value.replace("’", "&#39;") in render(run_of(tmp_path / "b", records)).decode()
    assert set(AIDS.values()) <= set(GLOSSARY)
    names = [term.name.lower() for term in GLOSSARY]
    assert names == sorted(names)
