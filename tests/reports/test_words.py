"""Words and names in the report: every list once, who used it, where it is from, masked and escaped."""

from __future__ import annotations

import re

import pytest

from probes.core.records import Accounting, WordList
from probes.text.identity import read_terms
from probes.text.word_lists import axis_words
from reports import render
from reports.limits import Limits
from reports.load import load
from reports.words import word_tables
from tests.reports import synthetic_run as synthetic
from tests.reports.test_render import Page

RELIGION = WordList(
    title="Religion",
    groups={"christian": ("Christian", "Christians"), "wheelchair user": ("wheelchair user",)},
    source="written for the test",
    licence="Apache-2.0",
    language="en",
)
SLURS = RELIGION.model_copy(update={"title": "People in tests", "groups": {"gay people": ("gay people", "faggot")}})
DONE = Accounting(eligible=1, scored=1)


def write(folder, *lists_of_steps):
    steps = [
        synthetic.Step(f"bias.test{index}", f"Title {index}", [DONE, *lists])
        for index, lists in enumerate(lists_of_steps)
    ]
    return synthetic.write(folder, steps, [])


def section(run, **how):
    html = render(run, **how).decode("utf-8")
    (found,) = re.findall(r'<section id="words".*?</section>', html, re.DOTALL)
    return found, html


def test_a_list_that_two_tests_used_is_printed_once_and_names_both(tmp_path):
    found, html = section(write(tmp_path, [RELIGION], [SLURS, RELIGION], []))
    page = Page(found)
    assert found.count("<table>") == 2
    assert "Source: written for the test. Licence: Apache-2.0. Language: en. Used by: Title 0, Title 1." in page.words
    assert "Used by: Title 1." in page.words
    assert "Christian Christian; Christians" in page.words
    assert "2 lists of words and names" in page.words
    assert html.count("Christian; Christians") == 1
    assert '<a href="#words">' in html


def test_lists_that_differ_in_one_word_are_both_printed(tmp_path):
    other = RELIGION.model_copy(update={"groups": {"christian": ("Christian",)}})
    assert section(write(tmp_path, [RELIGION], [other]))[0].count("<table>") == 2


def test_chapters_name_their_lists_and_where_they_are(tmp_path):
    html = section(write(tmp_path, [RELIGION, SLURS], []))[1]
    chapters = html.split('<article class="chapter"')[1:]
    assert "Religion; People in tests (printed under “Words and names used”)" in Page(chapters[0]).words
    assert "printed under" not in chapters[1]


def test_the_section_is_folded_and_without_lists_says_so(tmp_path):
    assert "<details>" in section(write(tmp_path / "a", [RELIGION]))[0]
    found = section(write(tmp_path / "b", []))[0]
    assert "<table>" not in found
    assert "No test of this run recorded lists of words or names." in found


def test_slurs_are_masked_unless_asked_for(tmp_path):
    run = write(tmp_path, [SLURS])
    assert "faggot" not in section(run)[1]
    assert "gay people; f∗∗∗∗∗" in section(run)[0]
    assert "gay people; faggot" in section(run, unmask=True)[0]


def test_a_users_hostile_list_is_escaped_and_prints_the_users_source(tmp_path):
    path = tmp_path / "terms.tsv"
    path.write_text(
        "# title: <script>alert(1)</script>\n# provenance: works council <img src=x onerror=alert(2)>\n"
        "# licence: \"'><b>internal\n# columns: kind, {{7*7}}, <i>lab\n"
        "person\t<script>seller\u202e\tchemist</table></details>\n",
        encoding="utf-8",
    )
    found = section(write(tmp_path / "run", [axis_words(read_terms(path))]))[0]
    page = Page(found)
    assert {tag for tag, _ in page.tags} <= {
        "section", "h2", "p", "details", "summary", "div", "table", "caption", "thead", "tbody", "tr", "th", "td",
        "small", "span",
    }  # fmt: skip
    assert "<script>seller⟨U+202E⟩" in page.words
    assert "{{7*7}}" in page.words
    assert "Source: works council <img src=x onerror=alert(2)>. Licence: \"'><b>internal." in page.words


@pytest.mark.parametrize("size", [3000, 1])
def test_long_lists_are_cut_at_a_word_and_say_how_much_is_missing(tmp_path, size):
    names = tuple(f"Name{index}" for index in range(3000)) if size > 1 else ("N" * 5000,)
    run = write(tmp_path, [RELIGION.model_copy(update={"groups": {"names": names}})])
    (shown,), _ = word_tables(load(run), limits=Limits())
    cell = shown.rows[0].cells[1]
    kept = cell.text.split("; ")
    assert tuple(kept) == names[: len(kept)]
    assert cell.sub == (f"and {3000 - len(kept):,} more, in the files of the run folder" if size > 1 else "")
    assert len(cell.text) <= Limits().string or size == 1


def test_more_groups_and_lists_than_fit_are_told(tmp_path):
    many = RELIGION.model_copy(update={"groups": {f"g{index}": ("w",) for index in range(70)}})
    found = section(write(tmp_path, [many, *(RELIGION.model_copy(update={"title": f"t{k}"}) for k in range(125))]))[0]
    assert "Shortened: 60 of 70 groups are shown here." in found
    assert "Shortened: 120 of 126 lists are shown here." in found
