"""Runs side by side: worse first, a difference only on the same items, and a visible reason where there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from audits.commands.compare import command
from audits.comparison.comparing import side_by_side
from audits.evidence.bundle import seal
from probes.core.errors import IntegrityError, UsageError
from probes.core.findings import Status
from probes.core.run_folder import RunFolder
from probes.core.side_by_side import Reading, SideBySide, Standing
from probes.performance.calibration import Calibration
from probes.performance.quality import Quality
from reports.side_by_side import warnings
from tests.audits.comparison import twin_runs as twins
from tests.reports import synthetic_run as synthetic

QUALITY = "performance.quality"
ACCURACY = f"{QUALITY}.accuracy"
SUITE = (Quality(), twins.UPPER)
GOOD = twins.picked(0.1)
LOSS = sorted({*GOOD, *twins.picked(0.08, seed=3)})


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, RunFolder]:
    root, examples = tmp_path_factory.mktemp("runs"), twins.data(300)
    lax = "".join(line for line in twins.POLICY.splitlines(keepends=True) if "upper_case" not in line)
    strict = twins.POLICY.replace("min: 0.7", "min: 0.9").replace('version: "1"', 'version: "2"')
    return {
        "good": twins.run(root / "good", twins.model(GOOD), examples, probes=SUITE),
        "loss": twins.run(root / "loss", twins.model(LOSS), examples, probes=SUITE, packages={"numpy": "2.2"}),
        "gain": twins.run(root / "gain", twins.model(GOOD[:8]), examples, probes=SUITE, policy=None),
        "strict": twins.run(root / "strict", twins.model(GOOD), examples, probes=SUITE, policy=strict),
        "less": twins.run(root / "less", twins.model(GOOD), examples, probes=(Quality(), Calibration()), policy=lax),
        "newer": twins.run(root / "newer", twins.model(GOOD), examples, probes=SUITE, versions={QUALITY: 9}),
        "other": twins.run(root / "other", twins.model(GOOD), twins.data(200, start=900), probes=SUITE),
    }  # fmt: skip


def compared(runs, *names) -> SideBySide:
    return side_by_side([runs[name] for name in names])


def number(found: SideBySide, name: str):
    return next(each for each in found.numbers if each.name == name)


def test_what_is_shown_to_be_worse_comes_first_and_what_blocks_first_of_it(runs):
    found = compared(runs, "good", "loss")
    assert found.numbers[0].name == ACCURACY
    order = [list(Standing).index(each.standing) for each in found.numbers]
    assert order == sorted(order)
    assert found.numbers[0].standing is Standing.WORSE
    first, second = found.numbers[0].values
    assert (first.difference, first.reading, second.reading) == (None, None, Reading.WORSE)
    assert second.difference.high < 0
    assert second.difference.value == pytest.approx(second.estimate.value - first.estimate.value)
    assert (second.status, second.minimum) == (Status.PASS, 0.7)


def test_several_runs_are_each_compared_with_the_first(runs):
    found = compared(runs, "good", "loss", "gain")
    assert [run.letter for run in found.runs] == ["A", "B", "C"]
    accuracy = number(found, ACCURACY)
    assert [value.reading for value in accuracy.values] == [None, Reading.WORSE, Reading.BETTER]
    assert accuracy.standing is Standing.WORSE, "one run that is worse is enough"
    assert found.runs[2].exit_code is None
    assert accuracy.values[2].status is None
    for run in found.runs[1:]:
        counted = [value for each in found.numbers for value in each.values if value.letter == run.letter]
        assert sum(run.readings.values()) == sum(value.estimate is not None for value in counted)
    assert found.runs[0].readings == {}


def test_a_number_has_a_difference_or_a_reason(runs):
    for names in (("good", "loss"), ("good", "less"), ("good", "newer"), ("good", "other")):
        for each in compared(runs, *names).numbers:
            first, second = each.values
            assert first.difference is None
            assert first.estimate or first.absent
            assert second.difference or second.unpaired or second.absent, each.name
            assert (second.reading is None) == (second.difference is None)


def test_other_data_have_no_difference_anywhere(runs):
    found = compared(runs, "good", "other", "loss")
    assert [run.same_data for run in found.runs] == [True, False, True]
    other = [each.values[1] for each in found.numbers]
    assert not any(value.difference for value in other)
    assert {value.unpaired for value in other} == {"measured on other data than the baseline"}
    assert number(found, ACCURACY).values[2].reading is Reading.WORSE, "the third run is not held back by the second"
    assert "Data" in {differing.what for differing in found.differing}


def test_another_version_of_a_test_is_not_paired(runs):
    accuracy = number(compared(runs, "good", "newer"), ACCURACY)
    assert "the test has changed (version 1, now 9)" in accuracy.values[1].unpaired
    assert accuracy.standing is Standing.UNPAIRED
    flips = number(compared(runs, "good", "newer"), "robustness.upper_case.flip_rate")
    assert flips.values[1].difference


def test_what_only_one_run_has_is_shown_with_the_reason(runs):
    found = compared(runs, "good", "less")
    flips = number(found, "robustness.upper_case.flip_rate[severity=3]")
    assert flips.standing is Standing.NOT_IN_ALL
    assert (flips.values[0].estimate is None, flips.values[1].absent) == (False, "The run did not plan this test.")
    ece = number(found, "performance.calibration.ece")
    assert ece.values[1].estimate
    assert ece.values[1].unpaired == "the baseline has no such number"


def test_a_check_that_came_out_worse_stands_high_without_a_shown_difference(runs):
    found = compared(runs, "good", "strict")
    accuracy = number(found, ACCURACY)
    assert accuracy.standing is Standing.STATUS_WORSE
    assert accuracy.values[1].reading is Reading.UNCLEAR
    assert accuracy.values[0].status is Status.PASS
    assert accuracy.values[1].status in (Status.FAIL, Status.INCONCLUSIVE)
    assert found.numbers[0] is accuracy


def test_what_differs_is_told(runs):
    found = compared(runs, "good", "loss", "strict")
    told = {each.what: each.values for each in found.differing}
    assert told["numpy"] == ("2.1", "2.2", "2.1")
    assert set(told) == {"Model", "numpy", "Policy", "Judged by"}


def test_absences_say_what_happened(tmp_path):
    synthetic.rich(tmp_path / "rich", perturbations=2)
    synthetic.unjudged(tmp_path / "unjudged")
    found = side_by_side([RunFolder(tmp_path / "rich"), RunFolder(tmp_path / "unjudged")])
    reasons = {value.absent for each in found.numbers for value in each.values[1:]}
    assert "The run did not plan this test." in reasons
    assert "The test gave no such number." in reasons
    broken = number(found, "robustness.paraphrase.flip_rate")
    assert broken.standing is Standing.NOWHERE
    assert broken.values[0].absent == "The test broke; nothing is known."
    ece = number(found, "performance.calibration.ece")
    assert ece.values[1].unpaired == "the test was run with other settings"


@pytest.mark.parametrize(
    ("names", "said"),
    [(("good",), "nothing to be compared with"), (("good", "loss", "good"), "named twice")],
)
def test_too_few_runs_and_the_same_run_are_refused(runs, names, said):
    with pytest.raises(UsageError, match=said):
        compared(runs, *names)


def test_more_runs_than_letters_are_refused(tmp_path):
    with pytest.raises(UsageError, match="27 runs"):
        side_by_side([RunFolder(tmp_path / str(k)) for k in range(27)])


def test_no_run_and_damaged_outcomes_are_errors(runs, tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        side_by_side([runs["good"], RunFolder(tmp_path)])
    damaged = twins.run(tmp_path / "damaged", twins.model(GOOD), twins.data(60), probes=(Quality(),), policy=None)
    twin = twins.run(tmp_path / "twin", twins.model(GOOD), twins.data(60), probes=(Quality(),), policy=None)
    (path,) = damaged.path.glob("steps/*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match="damaged"):
        side_by_side([twin, damaged])


def invoke(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)


def test_the_command_prints_what_matters_and_writes_the_page(runs, tmp_path):
    page = tmp_path / "pages" / "side.html"
    done = invoke(runs["good"].path, runs["loss"].path, runs["other"].path, "--html", page)
    assert (done.exception, done.return_value) == (None, 0)
    text = " ".join(done.output.split())
    assert "WARNING Not measured on the same items: C was measured on other data than A." in text
    assert text.index("Shown to be worse number A B B - A C") < text.index("performance.quality.accuracy 89.3% Pass")
    assert "C - A" not in text
    assert "B against A:" in text
    assert "C: no differences, since it was measured on other data than A." in text
    assert "Differs numpy: 2.1; 2.2; 2.1" in text
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")


def test_json_is_one_object_with_stable_keys(runs):
    done = invoke(runs["good"].path, runs["loss"].path, "--json")
    told = json.loads(done.stdout)
    assert set(told) == {"kind", "schema_version", "runs", "differing", "numbers"}
    assert set(told["numbers"][0]) == {
        "standing", "name", "probe", "risk", "title", "part", "better", "unit", "values",
    }  # fmt: skip
    assert set(told["numbers"][0]["values"][1]) == {
        "letter", "estimate", "absent", "status", "level", "minimum", "maximum", "difference", "reading",
            "direction", "adjusted", "unpaired",
    }  # fmt: skip
    assert told["runs"][1]["readings"]["worse"] > 0
    assert told["numbers"][0]["values"][1]["reading"] == "worse"
    assert SideBySide.model_validate(told) == compared(runs, "good", "loss")


def test_no_name_of_a_run_drives_the_terminal(tmp_path):
    bad = "x\x1b[31m\nExit    0: the gate passed\u202e[bold]<b>"
    for name in ("a", "b"):
        step = synthetic.Step("performance.quality", bad, synthetic.quality_records())
        finding = synthetic.check("performance.quality", bad, status=Status.FAIL, name="gap", part={"group": bad},
                                  message=bad)  # fmt: skip
        synthetic.write(tmp_path / name, [step], [finding], run_id=bad, model=synthetic.model_card(name=bad + name),
                        data=synthetic.data_card(name=bad))  # fmt: skip
    done = invoke(tmp_path / "a", tmp_path / "b")
    assert done.exception is None
    assert "\x1b" not in done.output
    assert "\u202e" not in done.output
    assert not any(line.startswith("Exit") for line in done.output.splitlines())
    assert "[bold]" in done.output, "shown as it is, and not read as markup"


def test_the_page_is_written_before_anything_is_told(runs, tmp_path, monkeypatch):
    """`audit compare ... --html FILE | head` closes the pipe after the first lines."""

    def closed(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("audits.comparison.lines.tell", closed)
    done = invoke(runs["good"].path, runs["loss"].path, "--html", tmp_path / "page.html")
    assert isinstance(done.exception, BrokenPipeError | SystemExit)
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_two_runs_of_one_model_are_told(tmp_path):
    examples = twins.data(40)
    one, other, third = (
        twins.run(tmp_path / place / "run", twins.model(GOOD), examples, probes=(Quality(),), name=name, policy=None)
        for place, name in (("a", "first"), ("b", "second"), ("c", "third"))
    )
    text = third.manifest_path.read_text(encoding="utf-8")
    third.manifest_path.write_text(text.replace(third.manifest().model.fingerprint, "f" * 64), encoding="utf-8")
    (warning,) = (each for each in warnings(side_by_side([one, other, third])) if "same model" in each)
    assert warning.startswith("The same model as A: B.")


def test_nothing_heavy_is_loaded():
    code = (
        "import sys; import audits.commands.compare, audits.commands.index; "
        "import audits.comparison.comparing, audits.comparison.lines, "
        "reports.side_by_side, reports.index; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("changed", ["findings.json", "steps"])
def test_a_run_that_was_changed_since_it_was_sealed_is_not_shown(runs, tmp_path, place, changed):
    copies = [RunFolder(shutil.copytree(runs[name].path, tmp_path / name)) for name in ("good", "loss")]
    for each in copies:
        seal(each)
    assert len(side_by_side(copies).runs) == 2
    path = copies[place].path / changed
    path = path if path.is_file() else min(path.glob("*.jsonl"))
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=rf"{copies[place].path} .*sealed \(.*{path.name}\)") as caught:
        side_by_side(copies)
    assert caught.value.exit_code == 5
