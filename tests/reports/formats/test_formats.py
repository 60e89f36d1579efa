"""What holds for all formats: pure, the same bytes, nothing hostile, the verdict as it stands on disk."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from probes.core.errors import UsageError
from probes.core.run_folder import RunFolder
from reports.decision import verdict_badge
from reports.formats import ALL, FORMATS, write_formats
from reports.formats.outcome import policy_file
from reports.formats.plain import line
from reports.load import load
from reports.redacted import without_personal
from reports.wording import BADGES
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

ROOT = Path(__file__).resolve().parents[3]
BANNED = re.compile(
    r"\b(complian(t|ce)|complies|certif\w+|conform(s|ity)|guarantee\w*|safe|unbiased|fair|trustworthy|no issues)\b",
    re.IGNORECASE,
)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


def test_every_file_has_a_name_of_its_own():
    files = [form.file for form in FORMATS.values()]
    assert len(set(files)) == len(files) == len(ALL)
    assert not {"manifest.json", "findings.json", "bundle.json", "report.html"} & set(files)


def test_files_are_written_where_they_belong(tmp_path):
    run = synthetic.rich(tmp_path / "run", perturbations=3)
    before = {path for path in run.path.rglob("*") if path.is_file()}
    paths = write_formats(run)
    assert [path.name for path in paths] == [form.file for form in FORMATS.values()]
    assert {path for path in run.path.rglob("*") if path.is_file()} - before == set(paths)
    assert write_formats(run, ["sarif"]) == (run.path / "findings.sarif",)


def test_an_unknown_format_writes_nothing(tmp_path):
    run = synthetic.passing(tmp_path / "run")
    with pytest.raises(UsageError, match="sarf") as caught:
        write_formats(run, ["junit", "sarf"])
    assert "sarif" in caught.value.hint
    assert not (run.path / "junit.xml").exists()


def test_another_process_in_another_place_gives_the_same_bytes(tmp_path):
    run = synthetic.rich(tmp_path / "run", perturbations=6)
    here = [hashlib.sha256(path.read_bytes()).hexdigest() for path in write_formats(run)]
    moved = tmp_path / "elsewhere"
    run.path.rename(moved)
    told = subprocess.run(
        [sys.executable, "-c", _AGAIN, str(moved)], check=True, capture_output=True, text=True, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "COLUMNS": "40"},
    ).stdout  # fmt: skip
    assert json.loads(told) == {"digests": here, "heavy": []}


_AGAIN = """
import hashlib, json, sys
from pathlib import Path
from probes.core.run_folder import RunFolder
from reports.formats import write_formats
digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in write_formats(RunFolder(Path(sys.argv[1])))]
print(json.dumps({"digests": digests, "heavy": [m for m in ("torch", "transformers", "datasets") if m in sys.modules]}))
"""


@pytest.mark.parametrize("told", synthetic.SITUATIONS)
@pytest.mark.parametrize("name", ALL)
def test_verdict_and_counts_are_those_of_the_findings(name, told, situation, public):
    loaded = situation(told)
    text = FORMATS[name].make(public(told)).decode()
    word, counts = verdict_badge(loaded).word, loaded.verdict.counts if loaded.verdict else {}
    totals = {BADGES[status].word: counts[status] for status in BADGES if counts.get(status)}
    if name == "metrics":
        assert dict(re.findall(r'^audit_checks\{status="(\w+)"\} (\d+)$', text, re.M)) == {
            status: str(number) for status, number in counts.items() if number
        }
        code = re.findall(r"^audit_exit_code (\d+)$", text, re.M)
        assert code == ([str(loaded.verdict.exit_code)] if loaded.verdict else [])
    elif name == "code-quality" and loaded.verdict and loaded.verdict.exit_code == 0:
        assert "blocker" not in text, "a merge request widget lists what is wrong; a pass is none of it"
    elif name == "sarif":
        properties = json.loads(text)["runs"][0]["properties"]
        assert properties["verdict"] == word
        assert properties["counts"] == {status: number for status, number in counts.items() if number}
    elif name == "cyclonedx":
        found = {p["name"]: p["value"] for p in json.loads(text)["metadata"]["properties"]}
        assert found["responsible-audit:verdict"] == word
        assert {k.partition("checks:")[2]: int(v) for k, v in found.items() if "checks:" in k} == {
            status: number for status, number in counts.items() if number
        }
    else:
        assert word in text
        assert ", ".join(f"{status} {number:,}" for status, number in totals.items()) in text


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_hostile_text_is_named_in_plain_sight(attack, attacked):
    shown = without_personal(attacked(attack))
    for name, form in FORMATS.items():
        text = form.make(shown).decode("utf-8")
        assert not UNSEEN.search(text), name
        assert not re.search(r"^\s*(::|##\[|##vso\[)", text if name != "annotations" else "", re.M), name
        assert len(text) < 60_000, name


def test_listed_words_are_masked(tmp_path):
    loaded = runs.attacked(tmp_path / "run", "what a fuck this is")
    for name, form in FORMATS.items():
        assert "fuck" not in form.render(loaded).decode(), name


def test_a_lone_surrogate_is_named():
    assert line("a\ud800b") == "a⟨U+D800⟩b"


def test_a_listed_word_at_the_cut_is_masked():
    assert "fuc" not in line("xx fuck", 6)


@pytest.mark.parametrize("told", sorted(set(synthetic.SITUATIONS) - {"hostile"}))
def test_our_own_words_promise_nothing(told, public):
    for name, form in FORMATS.items():
        assert not BANNED.search(form.make(public(told)).decode()), name


@pytest.mark.parametrize(
    ("given", "shown"),
    [("ci/policy.yaml", "ci/policy.yaml"), ("./p.yml", "p.yml"), ("/etc/p.yaml", "policy.yaml"),
     ("../p.yaml", "policy.yaml"), (None, "policy.yaml"), ("toxicity", "policy.yaml")],
)  # fmt: skip
def test_places_name_the_policy_as_it_was_given(given, shown, tmp_path):
    run = configured(synthetic.passing(tmp_path / "run"), given)
    assert policy_file(load(run)) == shown


def test_after_judging_by_another_policy_its_copy_is_named(tmp_path):
    run = configured(synthetic.passing(tmp_path / "run"), "ci/policy.yaml")
    runs.rejudged(run, policy_digest="0" * 64)
    assert policy_file(load(run)) == "policy.yaml"


def configured(run: RunFolder, policy: str | None) -> RunFolder:
    manifest = run.manifest().model_copy(update={"config": {"policy": policy}})
    run.manifest_path.write_text(manifest.model_dump_json(), encoding="utf-8")
    return run
