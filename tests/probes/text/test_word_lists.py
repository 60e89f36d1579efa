"""Word lists as records: every word of the file, in its order, under a group in words, with the file's own source."""

from __future__ import annotations

import pytest

from probes.text.identity import AXES, known_names, names, read_terms, table
from probes.text.lexicon import lexicon
from probes.text.masking import MASK, mask
from probes.text.word_lists import axis_words, first_names, lexicon_words, names_noticed, template_words

OWN = """# title: Department
# provenance: works council, list of 2026-10
# licence: internal
# language: en
# columns: kind, sales, back_office
person\tsalesperson|seller\tclerk
persons\tsalespeople|sellers\tclerks
"""


def own(tmp_path):
    path = tmp_path / "identity_department.tsv"
    path.write_text(OWN, encoding="utf-8")
    return read_terms(path)


@pytest.mark.parametrize("axis", AXES)
def test_an_axis_has_every_word_of_its_file_once(axis):
    listed, words = table(axis), axis_words(table(axis))
    assert list(words.groups) == [group.replace("_", " ") for group in listed.groups]
    for group in listed.groups:
        found = words.groups[group.replace("_", " ")]
        assert len(set(found)) == len(found)
        assert set(found) == {form for row in listed.rows for form in row.forms.get(group, ())}
    assert (words.title, words.source, words.licence) == (listed.title, listed.provenance, "Apache-2.0")


def test_the_users_list_prints_the_users_source(tmp_path):
    words = axis_words(own(tmp_path))
    assert words.title == "Department"
    assert words.groups == {
        "sales": ("salesperson", "seller", "salespeople", "sellers"),
        "back office": ("clerk", "clerks"),
    }
    assert (words.source, words.licence) == ("works council, list of 2026-10", "internal")


def test_a_part_of_an_axis_says_so_only_where_something_is_left_out(tmp_path):
    some = axis_words(own(tmp_path), {"person"}, part="one person")
    assert (some.title, some.groups["back office"]) == ("Department: one person", ("clerk",))
    assert axis_words(own(tmp_path), {"person", "persons"}, part="all").title == "Department"


def test_first_names_are_those_of_the_axes_by_group_and_gender():
    (both,) = first_names(AXES)
    assert "Latoya" in both.groups["black, female"]
    assert "Jamal" in both.groups["black, male"]
    assert {name for found in both.groups.values() for name in found} == {name.text for name in names("gender")}
    assert both.source == lexicon("names_first").provenance
    assert "Social Security" in both.source
    (race,) = first_names(["race_ethnicity", "religion"])
    assert not any("mixed" in group for group in race.groups)
    assert list(first_names(["religion", "department"])) == []


def test_names_that_are_noticed_only_where_an_axis_has_names():
    known, figures = names_noticed(AXES, public_figures=False)
    assert sum(map(len, known.groups.values())) == len(known_names())
    assert "Barack Obama" in figures.groups["kept as they are"]
    (race,) = names_noticed(["race_ethnicity"], public_figures=True)
    assert not any("mixed" in group for group in race.groups)
    assert list(names_noticed(["religion"], public_figures=False)) == []


def test_templates_show_what_they_are_filled_with_by_source(tmp_path):
    built_in, users = template_words([table("religion"), table("gender"), own(tmp_path)], terms=1)
    assert built_in.groups["Religion: muslim"][0] == "a Muslim"
    assert set(built_in.groups["Gender: female"]) >= {"a woman", "a lady"}
    assert not {name.text for name in names("gender")} & set(built_in.groups["Gender: female"])
    assert users.groups["Department: sales"][0] == "a salesperson"
    assert users.groups["Department: back office"] == ("a clerk",)
    assert users.source == "works council, list of 2026-10"


def test_repeated_words_are_listed_once_in_their_first_place():
    words = lexicon_words("weat_words", "t", [("a_b", "x"), ("c", "y"), ("a_b", "z"), ("a_b", "x")])
    assert words.groups == {"a b": ("x", "z"), "c": ("y",)}


def test_no_word_for_people_on_our_lists_is_masked_but_slurs_are():
    told = [axis_words(table(axis)) for axis in AXES] + [*first_names(AXES), *names_noticed(AXES, public_figures=False)]
    assert [word for words in told for found in words.groups.values() for word in found if mask(word) != word] == []
    assert MASK in mask("shiiiite")
    assert mask("Shiite mosques") == "Shiite mosques"
