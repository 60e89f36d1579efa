"""Widths of columns on paper: from the texts, together the whole width, nothing wider than the sheet."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from reports.paper_columns import fix_columns, widths


def cells(*texts):
    return [[text] for text in texts]


def test_columns_share_the_whole_width_by_what_is_in_them():
    shares = widths([cells("Check", "Items"), cells("Typing slips change the answer more often", "872")])
    assert sum(shares) == pytest.approx(100)
    assert shares[0] > 3 * shares[1]


def test_a_word_gets_its_room_before_a_long_text_gets_more():
    long = "a text that goes on and on " * 20
    shares = widths([cells("name", "text"), cells("demographic_parity", long)])
    assert shares[0] >= 100 * 18 / 130


def test_words_without_an_end_do_not_take_everything():
    shares = widths([cells("a", "b", "c"), cells("x" * 5000, "y" * 5000, "8")])
    assert sum(shares) == pytest.approx(100)
    assert shares[0] == pytest.approx(shares[1])
    assert shares[2] > 5


def test_a_number_with_its_unit_is_not_broken():
    long = "a text that goes on and on " * 20
    rows = [cells(*"abcd", "n"), cells(long, long, long, long, "+14 pp beyond it")]
    assert widths(rows, numbers={4})[4] >= 100 * 16 / 130 > widths(rows)[4]


def test_empty_columns_are_there():
    assert widths([cells("", ""), cells("", "")]) == pytest.approx([50, 50])


TABLE = (
    "<main><table><caption>C</caption><thead><tr><th>Check</th><th>n</th></tr></thead><tbody>"
    "<tr><th>Typos<small>Does the answer stay the same under typing slips?</small></th><td>872</td></tr>"
    "</tbody></table><table><tbody><tr><td>no head</td></tr></tbody></table></main>"
)


def test_each_table_with_a_heading_gets_its_widths_after_the_caption():
    root = fromstring(TABLE)
    fix_columns(root)
    first, second = root.iter("table")
    assert [child.tag for child in first] == ["caption", "colgroup", "thead", "tbody"]
    assert first.get("style") == "table-layout: fixed"
    shares = [float(col.get("style").split()[1].rstrip("%")) for col in first.iter("col")]
    assert sum(shares) == pytest.approx(100, abs=0.02)
    assert shares[0] > shares[1]
    assert second.find("colgroup") is None
