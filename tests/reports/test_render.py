"""The report as a file: the same bytes, one file, nothing fetched, nothing executed, nothing promised."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import shutil
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, UndefinedError

from probes.core.audit_card import AuditCard
from probes.core.errors import IntegrityError, UsageError
from probes.core.run_folder import RunFolder
from reports import render, write_report
from reports.limits import LADDER
from reports.render import environment
from tests.reports import synthetic_run as synthetic

ROOT = Path(__file__).resolve().parents[2]
BANNED = re.compile(
    r"\b(complian(t|ce)|complies|certif\w+|conform(s|ity)|guarantee\w*|safe|unbiased|fair|trustworthy|proves?|good job|"
    r"no issues)\b",
    re.IGNORECASE,
)
ALLOWED = ("prove good", "prove bad")
"""Names of the burdens of proof."""


class Page(HTMLParser):
    """Elements with their attributes, the text outside of style and script, and the raw text of both."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag not in ("ins", "del", "b", "span", "code"):
            self.text.append(" ")

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@lru_cache(maxsize=2)
def parsed(html: str) -> Page:
    """Read once for all tests of a situation, none of which changes it."""
    return Page(html)


@pytest.fixture(scope="module", params=synthetic.SITUATIONS)
def situation(request, files) -> tuple[str, RunFolder, str]:
    """A name, the run and the report that was written into it."""
    path = files[request.param]
    return request.param, RunFolder(path.parent), path.read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def rich(files) -> str:
    return files["rich"].read_bytes().decode("utf-8")


def words(run: RunFolder) -> str:
    return Page(render(run).decode("utf-8")).words


def test_every_situation_renders_to_one_small_complete_page(situation):
    _, run, html = situation
    page = parsed(html)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert html.rstrip().endswith("</html>")
    assert len(html.encode("utf-8")) < 5_000_000
    assert len(page.all("h1")) == 1
    for section in ("decision", "card", "results", "register", "chapters", "groups", "explanations", "not-run", "words",
                    "quality", "baseline", "policy", "limitations", "evidence-map", "reproduce", "integrity", "review",
                    "reading"):  # fmt: skip
        assert any(attributes.get("id") == section for _, attributes in page.tags)
    contents = [a["href"][1:] for a in page.all("a")][1:]
    assert set(contents) >= {"decision", "card", "groups", "explanations", "quality", "baseline", "review"}
    assert run.report_path.read_bytes() == html.encode("utf-8")


def test_the_same_folder_gives_the_same_bytes(situation, tmp_path, monkeypatch):
    """What was written into one folder, and what is rendered from the same results elsewhere."""
    _, run, html = situation
    elsewhere = tmp_path / "another place"
    shutil.copytree(run.path, elsewhere)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.chdir(tmp_path)
    assert render(RunFolder(elsewhere)).decode("utf-8") == html


def test_nothing_is_loaded_and_nothing_inline_runs(situation):
    _, _, html = situation
    page = parsed(html)
    for tag, attributes in page.tags:
        assert tag not in (
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "audio",
            "video",
            "foreignobject",
        )
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcset", "action")]
    style = "".join(page.raw["style"])
    assert "url(" not in style
    assert "@import" not in style
    assert set(re.findall(r"url\(([^)]*)\)", "".join(str(a) for _, a in page.tags))) <= {"#hatch"}


def test_the_content_security_policy_names_exactly_what_is_inline(situation):
    page = parsed(situation[2])
    policies = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for kind in ("style", "script"):
        assert len(page.all(kind)) == 1
        digest = hashlib.sha256("".join(page.raw[kind]).encode("utf-8")).digest()
        assert rules[f"{kind}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_pages_are_neither_indexed_nor_referred_from(situation):
    names = {meta.get("name"): meta.get("content") for meta in parsed(situation[2]).all("meta")}
    assert "noindex" in names["robots"]
    assert names["referrer"] == "no-referrer"


def test_links_lead_somewhere_and_ids_are_unique(situation):
    page = parsed(situation[2])
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in (*page.all("a"), *page.all("use"))]
    assert set(links) <= set(ids)
    labelled = [name for _, a in page.tags for name in (a.get("aria-labelledby") or "").split()]
    assert set(labelled) <= set(ids)


def test_headings_do_not_skip_a_level(situation):
    levels = [int(tag[1]) for tag, _ in parsed(situation[2]).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_table_has_a_caption_and_scoped_headings(situation):
    page = parsed(situation[2])
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(heading.get("scope") in ("row", "col") for heading in page.all("th"))


def test_every_chart_is_an_image_with_a_title_and_a_takeaway(situation):
    html = situation[2]
    charts = re.findall(r'<svg class="chart.*?</svg>', html, re.DOTALL)
    assert len(charts) == html.count('<svg class="chart')
    for chart in charts:
        assert 'role="img"' in chart
        assert re.search(r"<title id=[^>]+>[^<]+</title>", chart)
        assert re.search(r"<desc id=[^>]+>[^<]+</desc>", chart)
        assert "nan" not in re.sub(r">[^<]*<", "><", chart)


def test_the_report_promises_nothing(situation):
    name, _, html = situation
    if name == "hostile":
        pytest.skip("its texts are not ours")
    text = parsed(html).words
    for allowed in ALLOWED:
        text = re.sub(allowed, "", text, flags=re.IGNORECASE)
    assert BANNED.findall(text) == []


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.*")), ids=lambda path: path.name)
def test_the_templates_promise_nothing_and_trust_nothing(path):
    source = path.read_text(encoding="utf-8")
    assert BANNED.findall(source) == []
    assert not re.search(r"\|\s*safe|autoescape|https?://", source)


def test_the_report_prints_no_python(situation):
    text = parsed(situation[2]).words
    for sign in ("None,", ">None<", "Undefined", "object at 0x", "Estimate(", "nan%", "Status.", "Level."):
        assert sign not in text


def test_unknown_names_in_templates_are_errors():
    env = environment(LADDER[0])
    assert isinstance(env, Environment)
    with pytest.raises(UndefinedError):
        env.from_string("{{ page.nothing }}").render(page=object())
    assert env.from_string("{{ x }}").render(x="<b>\u202e") == "&lt;b&gt;⟨U+202E⟩"


def test_hostile_strings_are_inert_and_visible(files):
    html = files["hostile"].read_bytes().decode("utf-8")
    page = parsed(html)
    assert len(page.all("script")) == 1
    assert "<script>alert" not in html
    assert "{{7*7}}" in page.words
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00-\x08\x0b-\x1f\x7f]", html)
    assert "⟨U+202E⟩gnp.exe" in page.words
    assert "more characters]" in page.words
    assert len(html) < 5_000_000


def test_ten_thousand_findings_fit_and_the_reader_is_told(tmp_path):
    html = render(synthetic.stress(tmp_path))
    assert len(html) < 5_000_000
    text = Page(html.decode("utf-8")).words
    assert "400 of 10,000 checks are shown here" in text
    assert "of 10,000 findings are shown here" in text
    assert "10,000 fail" in text.lower()


def test_a_run_that_fits_nowhere_is_cut_further_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(render.__globals__, "MOST_BYTES", 600_000)
    html = render(synthetic.rich(tmp_path))
    assert len(html) <= 600_000
    assert "Shortened: 20 of 36 chapters" in Page(html.decode("utf-8")).words


def test_the_first_page_says_what_matters(rich):
    decision = Page(rich[: rich.index('<section id="card"')]).words
    assert "The release is blocked: 2 blocking checks failed" in decision
    assert "F-001 Worst case over all changes: Any change flips the answer Blocking" in decision
    assert "About 47 in 100 (95% interval 44 to 50 in 100); the policy accepts at most 40 in 100; n = 872." in decision
    assert decision.index("F-001") < decision.index("F-002") < decision.index("F-004")
    assert len(re.findall(r"F-\d{3} [A-Z]", decision)) == 5
    assert "more findings in the findings register" in decision
    assert "No group columns in the data Names of people" in decision
    tasks = re.findall(r"<li><div><b>([^<]+)</b>", rich)
    assert 3 <= len(tasks) <= 6
    assert tasks[-1] == "Sign or reject"
    assert "Put 1 waiver in order" in tasks
    assert "Waivers: W-2026-014 accepts 1 check until 2027-01-15; 1 waiver not in order (W-2026-009)." in decision
    assert "Declared as outside these tests Prompted misuse by customers: security team" in decision
    assert "Awaiting sign-off" in decision
    assert "Internal: model risk" in decision
    assert "2 under this policy, and tried under 1 other policy" in decision
    assert "First-party automated test evidence. Not independently reproduced. Not legal advice." in decision


def test_the_first_page_answers_who_decides_and_by_when(rich, tmp_path):
    def first(html):
        return Page(html[: html.index('<section id="card"')]).words

    told = "Sign or reject: under Review and sign-off; "
    assert f"{told}who decides was not declared; the report counts until 2027-05-01" in first(rich)
    assert f"{told}who decides was not declared; by when was not declared" in first(
        render(synthetic.passing(tmp_path / "a")).decode("utf-8")
    )
    step = synthetic.Step("performance.quality", "Quality", synthetic.quality_records())
    card = AuditCard(review="the model risk board decides", report_expires="2027-02-01")
    run = synthetic.write(tmp_path / "b", [step], [], card=card)
    declared = first(render(run).decode("utf-8"))
    assert f"{told}declared: the model risk board decides; the report counts until 2027-02-01" in declared


def test_without_waivers_declarations_or_labels_the_first_page_invents_none(tmp_path):
    html = render(synthetic.passing(tmp_path)).decode("utf-8")
    decision = Page(html[: html.index('<section id="card"')]).words
    assert "Waivers:" not in decision
    assert "Declared as outside" not in decision
    assert '<span class="label">' not in html
    assert "resembles the intended use" in decision


def test_counts_are_words_and_agree_with_the_findings(files, rich):
    verdict = RunFolder(files["rich"].parent).verdict()
    text = parsed(rich).words
    for status, word in (("PASS", "Pass"), ("FAIL", "Fail"), ("INCONCLUSIVE", "Inconclusive"), ("WAIVED", "Waived")):
        assert f"{verdict.counts[status]} {word}" in text


def test_absence_of_failures_is_not_praised(tmp_path):
    text = words(synthetic.passing(tmp_path / "a"))
    assert "says nothing about what was not tested" in text
    assert "The checks closest to their thresholds" in text
    text = words(synthetic.everything_skipped(tmp_path / "b"))
    assert "No check reached a result. This is an absence of evidence, not a good result." in text


def test_what_was_not_run_is_listed_with_its_reason_and_the_way_to_enable_it(rich):
    text = parsed(rich).words
    for part in ("bias.names", "No group columns in the data", "--groups COLUMN", "Only 7 items have this label.",
                 "ValueError: the paraphrase table is empty", "The run ended before it"):  # fmt: skip
        assert (part in text) == (part != "The run ended before it")


def test_broken_and_missing_steps_are_told_apart(tmp_path):
    text = words(synthetic.unjudged(tmp_path))
    assert "Not judged" in text
    assert "The test broke OSError: gone" in text
    assert "The run ended before it" in text
    assert "No description was recorded for this probe." in text


def test_chapters_give_the_command_that_runs_one_probe_again(rich):
    commands = re.findall(r'<pre class="command"><code>([^<]+)</code>', rich)
    assert (
        "audit run --model &#39;models/ticket classifier&#39; --data data/tickets.csv --only performance.quality"
        in commands
    )
    assert sum(command.startswith("audit run ") for command in commands) == 36


def test_changes_of_a_text_are_marked(rich):
    assert "<ins>⟨U+200B⟩</ins>" in rich
    assert re.search(r"ref<ins>е⟨U\+0435⟩</ins>|r<ins>е⟨U\+0435⟩</ins>", rich)


def test_file_digests_are_those_of_the_files(tmp_path):
    run = synthetic.passing(tmp_path)
    text = words(run)
    for path in (run.manifest_path, run.findings_path, *(tmp_path / "steps").iterdir()):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text


def test_a_policy_other_than_the_frozen_one_is_told(tmp_path):
    run = synthetic.passing(tmp_path)
    assert "another policy than the one frozen" not in words(run)
    verdict = json.loads(run.findings_path.read_text())
    run.findings_path.write_text(json.dumps(verdict | {"policy_digest": "0" * 64}))
    assert "another policy than the one frozen before the run" in words(run)


def test_findings_of_another_run_are_refused(tmp_path):
    run = synthetic.passing(tmp_path)
    verdict = json.loads(run.findings_path.read_text())
    run.findings_path.write_text(json.dumps(verdict | {"run_id": "other"}))
    with pytest.raises(IntegrityError, match="findings of another run"):
        render(run)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        write_report(tmp_path)
