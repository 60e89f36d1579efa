"""`audit export adversarial`: successful attacks as a sheet for people and as texts to train on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits.adversarial_export import COLUMNS, beside, export_adversarial, marked
from audits.cli import cli
from probes.core.errors import UsageError
from probes.core.records import Evidence, Shown
from tests.reports import synthetic_run as synthetic

PROBE = "robustness.adversarial"
REACHED = "the goal is reached; 7 queries"


def case(number, before, after, *, note=REACHED, gold="positive", recipe="fast", chosen="worst"):
    sides = [(text,) if isinstance(text, str) else text for text in (before, after)]
    shown = (Shown(texts=sides[0], answer="positive"), Shown(texts=sides[1], answer="negative"))
    return Evidence(
        example_id=f"id{number}", chosen=chosen, shown=shown, gold=gold, note=note, slice={"recipe": recipe}
    )


def written(folder, *records, how="full", probe=PROBE):
    run = synthetic.write(folder, [synthetic.Step(probe, "Adversarial attacks", list(records))], None)
    manifest = json.loads(run.manifest_path.read_text("utf-8"))
    manifest["config"]["store_text"] = how
    run.manifest_path.write_text(json.dumps(manifest), encoding="utf-8")
    return run


def sheet(path):
    return list(csv.DictReader(io.StringIO((path / "spot-check.csv").read_text("utf-8-sig"))))


def texts(path):
    return [json.loads(line) for line in (path / "augmentation.jsonl").read_text("utf-8").splitlines()]


def test_successes_are_written_once_and_failures_not(tmp_path):
    run = written(
        tmp_path / "run",
        case(2, "a fine film", "a fin film", chosen="random"),
        case(1, "a dull film", "a dul film", gold=None),
        case(3, "a good film", "a god film", note="the goal is not reached; this is as near as the search came"),
        case(2, "a fine film", "a fin film"),
        case(2, "a fine film", "a fined film", recipe="pwws"),
    )
    found = export_adversarial(run, out=tmp_path / "out")
    rows = sheet(tmp_path / "out")
    assert [(row["id"], row["recipe"]) for row in rows] == [("id1", "fast"), ("id2", "fast"), ("id2", "pwws")]
    assert rows[1]["marked"] == "a [fine -> fin] film"
    assert list(rows[0]) == list(COLUMNS)
    assert not any(rows[0][column] for column in COLUMNS[-4:])
    assert texts(tmp_path / "out") == [
        {"text": "a fin film", "label": "positive", "source_id": "id2", "recipe": "fast"},
        {"text": "a fined film", "label": "positive", "source_id": "id2", "recipe": "pwws"},
    ]
    assert (found.cases, found.rows) == (3, 2)
    assert any("1 of 3" in note for note in found.notes)


def test_pairs_keep_both_parts(tmp_path):
    run = written(tmp_path / "run", case(1, ("a premise", "a claim"), ("a premise", "a clam")))
    export_adversarial(run, out=tmp_path / "out")
    assert texts(tmp_path / "out")[0] == {
        "text": "a premise", "text_pair": "a clam", "label": "positive", "source_id": "id1", "recipe": "fast",
    }  # fmt: skip


def test_what_the_report_masks_is_masked_and_cells_are_no_formulas(tmp_path):
    run = written(
        tmp_path / "run", case(1, "=1+1 shit, write to jane@example.org", "=1+1 shit, wrte to jane@example.org")
    )
    export_adversarial(run, out=tmp_path / "out")
    whole = (tmp_path / "out" / "spot-check.csv").read_text("utf-8") + json.dumps(texts(tmp_path / "out"))
    assert "shit" not in whole
    assert "jane@example.org" not in whole
    assert sheet(tmp_path / "out")[0]["original"].startswith("'=")
    export_adversarial(run, out=tmp_path / "plain", unmask=True)
    assert texts(tmp_path / "plain")[0]["text"] == "=1+1 shit, wrte to jane@example.org"


@pytest.mark.parametrize(
    ("records", "how", "probe", "said"),
    [
        ((), "full", "robustness.typos", "no finished attacks"),
        ((case(1, "a", "b"),), "digest", PROBE, "kept no texts"),
        ((case(1, "a", "b", note="the goal is not reached"),), "full", PROBE, "no attack"),
        ((case(1, "a b", "b", recipe="input-reduction"),), "full", PROBE, "broke an answer"),
    ],
)
def test_where_there_is_nothing_to_write_it_is_said_why(tmp_path, records, how, probe, said):
    run = written(tmp_path / "run", *records, how=how, probe=probe)
    with pytest.raises(UsageError, match=said):
        export_adversarial(run, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_writes_beside_the_run_and_leaves_it_as_it_was(tmp_path):
    run = written(tmp_path / "run", case(1, "a fine film", "a fin film"))
    before = sorted(run.path.rglob("*"))
    done = CliRunner().invoke(
        cli, ["export", "adversarial", str(run.path)], catch_exceptions=False, standalone_mode=False
    )
    assert done.return_value == 0
    assert len(sheet(tmp_path / "run-adversarial")) == 1
    assert sorted(run.path.rglob("*")) == before


def test_the_current_folder_has_a_folder_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert beside(Path(), "adversarial") == tmp_path.with_name(f"{tmp_path.name}-adversarial")


@pytest.mark.parametrize("out", ["run", "run/adversarial", "other/deep/down"])
def test_nothing_is_written_into_a_run(tmp_path, out):
    run = written(tmp_path / "run", case(1, "a fine film", "a fin film"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "bundle.json").write_text("{}", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="sealed") as error:
        export_adversarial(run, out=tmp_path / out)
    assert "--out" in error.value.hint
    assert sorted(tmp_path.rglob("*")) == before


def test_a_text_that_two_recipes_came_to_is_trained_on_once_which_is_said(tmp_path):
    both = [case(2, "a fine film", "a fin film", recipe=name) for name in ("fast", "textbugger")]
    found = export_adversarial(written(tmp_path / "run", *both), out=tmp_path / "out")
    assert (found.cases, found.rows) == (2, 1)
    assert "1 text that several recipes came to: once among those to train on." in found.notes


def test_texts_that_were_cut_down_are_neither_checked_nor_trained_on(tmp_path):
    cut = [case(number, "a fine film", "only", recipe="input-reduction") for number in (1, 2)]
    run = written(tmp_path / "run", *cut, case(2, "a fine film", "a fin film"))
    found = export_adversarial(run, out=tmp_path / "out")
    assert [row["recipe"] for row in sheet(tmp_path / "out")] == ["fast"]
    assert [row["recipe"] for row in texts(tmp_path / "out")] == ["fast"]
    assert any(note.startswith("2 texts cut down to a word") for note in found.notes)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("one two", "one two", "one two"),
        ("one two three", "one three", "one [two  -> ]three"),
        ("a b", "a c", "a [b -> c]"),
    ],
)
def test_changes_are_marked(before, after, said):
    assert marked(before, after) == said
