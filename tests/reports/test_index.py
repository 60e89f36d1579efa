"""The page over many runs: every run, every course of a check, and what could not be read."""

from __future__ import annotations

import json
import shutil
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from audits.commands.index import command
from audits.evidence.bundle import seal
from probes.core.errors import UsageError
from probes.core.findings import Level, Status
from probes.core.records import Unit
from reports import write_report
from reports.index import MOST_RUNS, render_index, run_folders, write_index
from reports.trends import HEIGHT, STEP, spark
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import check, plain, share
from tests.reports.test_render import BANNED, Page

STEPS = [synthetic.Step("performance.quality", "Quality of the answers", synthetic.quality_records())]


def dated(run, created: str, **changes: object):
    """The run as if it had been made at another time."""
    content = json.loads(run.manifest_path.read_text(encoding="utf-8")) | {"created": created}
    for key, fields in changes.items():
        content[key] |= fields
    run.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    return run


def judged(folder, *, right=270, created="2026-11-20T11:40:03Z", **changes):
    status = Status.PASS if right > 260 else Status.FAIL
    findings = [
        check("performance.quality", "right answers", status=status, estimate=share(right, 300), minimum=0.85,
              name="accuracy"),
        check("robustness.typos", "changed answers", status=Status.PASS, level=Level.WARN, estimate=share(9, 300),
              maximum=0.1),
        check("robustness.gone", "switched off", status=Status.PASS, level=Level.OFF, estimate=share(9, 300)),
    ]  # fmt: skip
    run = synthetic.write(folder, STEPS, findings, run_id=folder.name, exit_code=0 if status is Status.PASS else 1)
    return dated(run, created, **changes)


@pytest.fixture
def root(tmp_path):
    """Three runs of one model, one of them on other data; one not judged; three that cannot be read."""
    root = tmp_path / "runs"
    judged(root / "first", right=275, created="2026-01-01T00:00:00Z")
    judged(root / "nested" / "second", right=250, created="2026-01-02T00:00:00Z")
    judged(root / "third", created="2026-01-03T00:00:00Z", data={"fingerprint": "f" * 64})
    (root / "third" / "report.html").write_text("x", encoding="utf-8")
    synthetic.write(root / "fourth", STEPS, None, run_id="fourth", model=synthetic.model_card(name="another"))
    for name, content in (("broken", "{"), ("swapped", None)):
        (root / name).mkdir()
        (root / name / "manifest.json").write_text(content or "{}", encoding="utf-8")
    shutil.rmtree(root / "swapped")
    shutil.copytree(root / "first", root / "swapped")
    shutil.copy(root / "third" / "findings.json", root / "swapped" / "findings.json")
    (root / "headless" / "steps").mkdir(parents=True)
    (root / "headless" / "steps" / "a.jsonl").write_text("{}", encoding="utf-8")
    (root / "no run").mkdir()
    return root


def page(root, **how) -> Page:
    return Page(render_index(root, **how).decode("utf-8"))


def test_every_run_is_listed_the_latest_first(root):
    words = page(root).words
    assert "4 runs of 1 model, the latest first. 3 folders could not be read." in words
    words = words[words.index("the latest first") :]
    order = [words.index(f" {name} ") for name in ("fourth", "third", "second", "first")]
    assert order == sorted(order)
    assert "Not judged another fourth no report Nothing has been judged." in words
    assert "Gate passed ticket-classifier third" in words
    assert "Blocked ticket-classifier second no report" in words
    assert "2 pass" in words


def test_what_cannot_be_read_is_listed_with_the_reason_and_without_a_path_of_this_machine(root):
    words = page(root).words
    assert "broken damaged or from another version: manifest.json" in words
    assert "headless it has results of a run and no manifest" in words
    assert "swapped findings of another run: third" in words
    assert str(root.parent) not in words
    assert run_folders(root / "no run") == []


def test_a_folder_without_runs_is_an_error_and_one_with_nothing_readable_is_a_page(tmp_path, root):
    with pytest.raises(UsageError, match="no run folder"):
        render_index(tmp_path / "runs" / "no run")
    assert "Run folders that could not be read" in page(root / "broken").words


def test_a_run_within_a_run_is_not_looked_for(root):
    shutil.copytree(root / "first", root / "third" / "steps" / "copy")
    assert len(run_folders(root)) == 7


def test_a_check_has_its_course_from_the_oldest_to_the_latest(root):
    parsed = page(root)
    words = parsed.words.split("Trends", 2)[2]
    assert "ticket-classifier under the policy ticket-classifier-release" in words
    assert "91.7% Pass 88.0% to 94.3% 83.3% Fail 78.7% to 87.1% 90.0% Pass 86.1% to 92.9%" in words
    assert "Check Trend 2026-01-01 00:00:00Z 2026-01-02 00:00:00Z 2026-01-03* 00:00:00Z" in words
    assert "* Made on other items than the run before it" in words
    assert "Switched off" not in words
    assert words.index("Right answers") < words.index("Changed answers"), "what blocks comes first"
    pictures = [svg for svg in parsed.all("svg") if svg.get("role") == "img"]
    assert pictures[0]["aria-label"] == "from 91.7% (pass) to 90.0% (pass) in 3 of 3 runs; at least 85% accepted"


def test_one_run_has_no_trend(tmp_path):
    judged(tmp_path / "only")
    assert "Trends" not in page(tmp_path).words


def test_only_the_latest_runs_of_many_are_compared(tmp_path):
    for k in range(MOST_RUNS + 3):
        judged(tmp_path / f"r{k}", created=f"2026-01-{k + 1:02}T00:00:00Z")
    words = page(tmp_path).words
    assert "Shortened: 8 of 11 runs are shown here. They are the latest." in words
    assert "2026-01-03 00:00:00Z" not in words.split("Trends", 2)[2]
    assert "2026-01-04 00:00:00Z" in words


def test_the_picture_shows_value_interval_threshold_and_status():
    history = [
        check("a.b", "t", status=Status.PASS, estimate=share(30, 300), maximum=0.2),
        check("a.b", "t", status=Status.FAIL, estimate=share(90, 300), maximum=0.2),
        None,
        check("a.b", "t", status=Status.NOT_RUN),
        check("a.b", "t", status=Status.PASS, estimate=share(30, 300), maximum=0.4),
        check("a.b", "t", status=Status.PASS, estimate=share(30, 300), maximum=0.4),
    ]
    drawn = spark(history, ["d", "d", "d", "d", "d", "e"])
    assert [stop.kind for stop in drawn.stops] == ["pass", "fail", "notrun", "pass", "pass"]
    first, second, missing, fourth, _ = drawn.stops
    assert float(second.y) < float(first.limits[0]) < float(first.y), "more is higher up"
    assert float(first.whisker[0]) > float(first.y) > float(first.whisker[1])
    assert (missing.whisker, missing.limits, missing.y) == (None, (), str(HEIGHT // 2))
    assert float(fourth.limits[0]) < float(first.limits[0]), "each run has the threshold it was judged by"
    assert drawn.joins == ((first.x, first.y, second.x, second.y),), "nothing joins a gap, or other data"
    assert drawn.width == 6 * STEP
    assert drawn.takeaway == "from 10.0% (pass) to 10.0% (pass) in 5 of 6 runs; at most 40% accepted"
    scored = check("a.b", "t", status=Status.PASS, unit=Unit.SCORE, estimate=plain(0.5, 0.0), minimum=0.1)
    assert spark([None, scored], "dd").takeaway == "0.50 (pass) in 1 of 2 runs; at least 0.1 accepted"
    assert spark([check("a.b", "t", status=Status.ERROR)], "d").stops[0].y == str(HEIGHT // 2)


def test_links_lead_from_where_the_page_stands(root, tmp_path):
    link = [a["href"] for a in page(root).all("a") if not a["href"].startswith("#")]
    assert link == ["third/report.html"]
    write_index(root, out=tmp_path / "elsewhere" / "all.html")
    parsed = Page((tmp_path / "elsewhere" / "all.html").read_text(encoding="utf-8"))
    assert [a["href"] for a in parsed.all("a") if not a["href"].startswith("#")] == ["../runs/third/report.html"]


def test_a_report_in_a_folder_is_found_too(root):
    (root / "first" / "report").mkdir()
    (root / "first" / "report" / "index.html").write_text("x", encoding="utf-8")
    assert "first/report/index.html" in [a["href"] for a in page(root).all("a")]


def test_the_same_runs_give_the_same_bytes(root, tmp_path, monkeypatch):
    before = write_index(root).read_bytes()
    assert write_index(root).read_bytes() == before, "the page itself is no run"
    copy = tmp_path / "copy" / "runs"
    shutil.copytree(root, copy)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.chdir(tmp_path / "copy")
    assert write_index(copy).read_bytes() == before
    assert not BANNED.search(Page(before.decode()).words)


def test_hostile_names_and_folders_stay_text(tmp_path):
    for name in ("a", "b", "javascript:alert(1)&'<x>"):
        run = synthetic.hostile(tmp_path / name)
        if name != "b":
            (run.path / "report.html").write_text("x", encoding="utf-8")
    (tmp_path / "<img src=x>").mkdir()
    (tmp_path / "<img src=x>" / "manifest.json").write_text("{", encoding="utf-8")
    parsed = page(tmp_path)
    assert not parsed.all("script")
    assert not parsed.all("img")
    assert "<script>alert(1)</script>" in parsed.words
    assert "⟨U+202E⟩" in parsed.words
    links = [a["href"] for a in parsed.all("a") if not a["href"].startswith("#")]
    assert "javascript%3Aalert%281%29%26%27%3Cx%3E/report.html" in links
    assert all((tmp_path / unquote(link)).exists() for link in links)


def test_a_link_to_a_folder_with_an_offensive_name_still_leads_there(tmp_path):
    run = judged(tmp_path / "faggot")
    write_report(run)
    parsed = page(tmp_path)
    assert "faggot" not in parsed.words
    assert "faggot/report.html" in [a["href"] for a in parsed.all("a")]
    assert "faggot" in page(tmp_path, unmask=True).words


def test_personal_data_in_names_of_parts_is_masked(tmp_path):
    finding = check("performance.quality", "right answers", status=Status.PASS, estimate=share(270, 300), minimum=0.85,
                    name="accuracy", part={"group": "jane@example.org"})  # fmt: skip
    for name in ("a", "b"):
        synthetic.write(tmp_path / name, STEPS, [finding], run_id=name, sentence="Passed for jane@example.org.")
    assert "jane@example.org" not in page(tmp_path).words
    assert "jane@example.org" in page(tmp_path, unmask=True).words


def test_two_hundred_runs_stay_small(tmp_path):
    findings = [
        check("robustness.typos", "share of answers that changed, at length", status=Status.PASS, maximum=0.1,
              estimate=share(9 + k % 30, 300), part={"part": str(k)})
        for k in range(120)
    ]  # fmt: skip
    for k in range(200):
        model = synthetic.model_card(name=f"classifier-{k // 3}", fingerprint=f"{k:064}")
        run = synthetic.write(tmp_path / f"run-{k:03}", [], findings, run_id=f"run-{k:03}", model=model)
        dated(run, f"2026-{1 + k % 12:02}-01T00:00:00Z")
    content = render_index(tmp_path)
    assert len(content) < 5_000_000
    parsed = Page(content.decode("utf-8"))
    assert "200 runs of 200 models" in parsed.words
    assert all(f"run-{k:03}" in parsed.words for k in range(0, 200, 40))
    assert "120 checks are shown here." in parsed.words


def test_the_command_writes_the_page_and_tells_where(root, tmp_path):
    done = CliRunner().invoke(command, [str(root), "--out", str(tmp_path / "all.html")], standalone_mode=False)
    assert (done.exception, done.return_value) == (None, 0)
    assert done.output.split() == ["Index", str(tmp_path / "all.html")]
    done = CliRunner().invoke(command, [str(root)], standalone_mode=False)
    assert (root / "index.html").exists()
    assert CliRunner().invoke(command, [str(tmp_path / "none")]).exit_code == 2


@pytest.mark.parametrize("name", ["findings.json", "manifest.json"])
def test_a_run_that_was_changed_since_it_was_sealed_is_listed_without_its_verdict(tmp_path, name):
    for each in ("whole", "changed"):
        seal(judged(tmp_path / each, right=250))
    path = tmp_path / "changed" / name
    content = json.loads(path.read_text(encoding="utf-8"))
    content["exit_code" if name == "findings.json" else "seed"] = 0 if name == "findings.json" else 7
    path.write_text(json.dumps(content), encoding="utf-8")
    assert CliRunner().invoke(command, [str(tmp_path)], standalone_mode=False).return_value == 0
    words = Page((tmp_path / "index.html").read_text(encoding="utf-8")).words
    assert f"changed this folder was changed since it was sealed ({name})" in words
    assert "1 run of 1 model, the latest first. 1 folder could not be read." in words
    assert "Gate passed" not in words
