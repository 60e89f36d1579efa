"""Step summary, pull request comment and model card, read by a Markdown parser: only our own structure in them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from probes.core.findings import Status
from reports.formats.markdown import code, escaped, fitted
from reports.formats.model_card import model_card
from reports.formats.summary import MOST_COMMENT, comment, marker, summary
from reports.load import load
from reports.wording import NOT_JUDGED, VERDICTS
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
OURS = re.compile(r"</?(strong|code|details|summary)>|<br>|<!-- responsible-audit [0-9a-f]{12} -->")
STRUCTURE = {
    "paragraph", "heading", "table", "thead", "tbody", "tr", "th", "td", "strong", "text", "inline", "html_inline",
    "html_block", "code_inline",
}  # fmt: skip
OUR_HEADINGS = {badge.word for badge in (*VERDICTS.values(), NOT_JUDGED)} | {
    "What needs attention", "Waivers", "Audit results",
}  # fmt: skip
TRIGGERS = re.compile(r"[@#!~$^]\w|&\w|://|www\.|\bGH-\d", re.IGNORECASE)
"""What GitHub and GitLab turn into mentions, references and links after Markdown is read."""
RENDERED = {
    "summary": summary,
    "comment": comment,
    "model card": lambda loaded: without_front_matter(model_card(loaded)),
}


def without_front_matter(content: bytes) -> bytes:
    if not content.startswith(b"---\n"):
        return content
    return content.split(b"\n---\n", 1)[1]


def strange(content: bytes) -> list[str]:
    """Everything that is not our own structure, and everything in running text that a site would act on."""
    blocks = PARSER.parse(content.decode())
    inline = [child for block in blocks for child in block.children or ()]
    found, in_code = [], False
    for token in [*blocks, *inline]:
        kind = re.sub(r"_(open|close)$", "", token.type)
        if kind not in STRUCTURE:
            found.append(kind)
        if kind == "html_block":
            found += html_block(token.content)
        elif kind == "html_inline":
            found += OURS.sub("", token.content).split()
            in_code = token.content == "<code>" or (in_code and token.content != "</code>")
        elif kind == "text" and not in_code:
            found += TRIGGERS.findall(token.content)
    found += [after.content for before, after in pairwise(blocks) if before.type == "heading_open" and foreign(after)]
    found += [after.content for before, after in pairwise(inline) if before.type == "strong_open" and foreign(after)]
    return found + [f"a row of {cells}" for cells in row_lengths(content) - {2, 4, 5}]


def foreign(token: Token) -> bool:
    """Is a heading, or what stands in bold, none of ours."""
    return token.content.removeprefix("Audit: ").removesuffix(".") not in OUR_HEADINGS


def row_lengths(content: bytes) -> set[int]:
    """Cells of each row as written: a parser drops and adds cells until rows are alike."""
    rows = [text for text in content.decode().split("\n") if text.startswith("|")]
    return {row.count("|") - 1 for row in rows}


def html_block(content: str) -> list[str]:
    """What is foreign in a block of HTML: ours hold tags and a count of checks."""
    return re.sub(r"[\d,]+ other checks?", "", OURS.sub("", content)).split()


@pytest.mark.parametrize("form", RENDERED)
@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_nothing_from_data_is_structure(attack, form, attacked):
    loaded = attacked(attack)
    assert strange(RENDERED[form](loaded)) == []


ACTIVE = ("script", "comment", "end of comment", "links", "references", "headings", "details", "front matter", "table")


@pytest.mark.parametrize("attack", ACTIVE)
def test_the_parser_notices_what_is_not_escaped(attack):
    """The attacks are attacks: the same text in a row of ours, unescaped, is found."""
    text = runs.ATTACKS[attack]
    table = f"| a | b |\n|---|---|\n| {text} | c |\n"
    assert strange(f"{text}\n\n{table}".encode())


@pytest.mark.parametrize("form", RENDERED)
@pytest.mark.parametrize("told", synthetic.SITUATIONS)
def test_every_situation_is_well_formed(told, form, situation):
    content = RENDERED[form](situation(told))
    assert strange(content) == []
    assert content.endswith(b"\n")


def test_the_reader_sees_the_text_as_it_was():
    (token,) = PARSER.parseInline(f"x {escaped('R&D *100%* a_b [c] @d #1 http://e.f www.g.h')}")
    seen = "".join(child.content for child in token.children)
    assert seen.replace("\u200b", "") == "x R&D *100%* a_b [c] @d #1 http://e.f www.g.h"


@pytest.mark.parametrize("sign", "\\`*_[]<>#!|~&$@{}^")
def test_every_sign_that_could_be_structure_is_a_reference(sign):
    assert sign not in re.sub(r"&#\d+;", "", escaped(f"a{sign}b"))
    assert code(f"a{sign}b") == f"<code>a&#{ord(sign)};b</code>"


def test_code_holds_exactly_the_text():
    (token,) = PARSER.parseInline(code("bias.gap[group=@a,b*_`c`]"))
    assert "".join(child.content for child in token.children) == "<code>bias.gap[group=@a,b*_`c`]</code>"


def test_rows_are_kept_from_the_first_while_they_fit():
    assert fitted(["ä", "bb", "c"], 4) == ("äbb", 2)
    assert fitted(["aaa", "b"], 2) == ("", 0)
    assert fitted([], -1) == ("", 0)


@pytest.mark.parametrize("most", [60_000, 100_000, 900_000])
def test_a_summary_keeps_to_its_bytes(most, tmp_path):
    loaded = load(synthetic.stress(tmp_path / "run", checks=2_000))
    assert most * 0.6 <= len(summary(loaded, most=most)) <= most or most == 900_000


def test_passes_are_folded_away_and_not_lost(situation):
    loaded = situation("rich")
    text = summary(loaded).decode()
    attention, rest = text.split("<details>")
    for finding in loaded.findings:
        place = rest if finding.status in (Status.PASS, Status.NOT_APPLICABLE) else attention
        assert f"{code(finding.check)} |" in place


def test_nothing_open_is_no_praise(situation):
    text = summary(situation("passing")).decode()
    assert "says nothing about what was not tested" in text


def test_passes_of_alarms_are_told_apart(situation):
    assert "2 passes only in that no violation was shown." in comment(situation("passing")).decode()
    assert "violation" not in comment(situation("everything skipped")).decode()


def test_a_verdict_without_an_open_finding_is_not_called_clean(situation):
    text = summary(situation("everything skipped")).decode()
    assert "No check that ran failed" not in text
    assert "the reason stands above" in text


def test_waivers_are_shown_with_their_state(tmp_path):
    for text in (form(runs.waived(tmp_path / form.__name__)).decode() for form in (summary, comment)):
        assert "### Waivers" in text
        assert re.search(r"<code>W-2</code> \| expired", text)
        assert "<strong>Waived</strong>" in text


def test_the_comment_begins_with_a_marker_of_the_model(situation, tmp_path):
    first = comment(situation("rich")).decode().splitlines()[0]
    assert first == marker(situation("rich"))
    other = load(synthetic.write(tmp_path / "run", [], [], model=synthetic.model_card(name="--> other")))
    assert re.fullmatch(r"<!-- responsible-audit [0-9a-f]{12} -->", marker(other))
    assert marker(other) != first


def test_a_hostile_head_leaves_the_comment_within_its_bytes(tmp_path):
    loaded = runs.attacked(tmp_path / "run", "\x00" * 100_000)
    assert len(comment(loaded)) <= MOST_COMMENT
