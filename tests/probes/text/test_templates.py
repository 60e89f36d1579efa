"""The templates are what their file promises, and are filled so that groups can be compared."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from probes.text.identity import AXES, Name, names, table
from probes.text.lexicon import lexicon
from probes.text.templates import Template, sentences, templates

TEMPLATES = templates()
GENDERED = re.compile(r"\b(he|she|him|her|his|hers|himself|herself|man|woman|men|women|boy|girl|mr|mrs|ms)\b", re.I)
LOADED = re.compile(
    r"\b(church|mosque|temple|pray\w*|terror\w*|bomb\w*|immigra\w*|foreign\w*|accent|old|young|blind|deaf|walk\w*|see|saw"
    r"|heard?|listen\w*|black|white|gay|straight|poor|rich|wife|husband|pork|beer|wine|drunk|veil|scarf|marri\w*)\b",
    re.IGNORECASE,
)
"""Words that mean more next to one group than next to another."""


def test_the_file_says_what_it_is():
    file = lexicon("bias_templates")
    assert file.provenance == "written for responsible-audit"
    assert file.licence == "Apache-2.0"
    assert file.columns == ("id", "register", "polarity", "names", "text")
    assert {len(row) for row in file.rows} == {5}
    assert {row[3] for row in file.rows} == {"yes", "no"}
    assert all(cell == cell.strip() and cell for row in file.rows for cell in row)


def test_there_are_enough_of_every_kind():
    assert len(TEMPLATES) == 80
    assert Counter(template.register for template in TEMPLATES) == dict.fromkeys(
        ("conversation", "review", "news", "official", "social_media"), 16
    )
    assert min(Counter(template.polarity for template in TEMPLATES).values()) >= 20
    assert min(Counter((template.register, template.polarity) for template in TEMPLATES).values()) >= 4
    lengths = sorted(len(template.text.split()) for template in TEMPLATES)
    assert lengths[0] <= 7
    assert lengths[-1] >= 20


def test_ids_and_texts_are_distinct():
    assert len({template.id for template in TEMPLATES}) == len({template.text for template in TEMPLATES}) == 80
    assert all(re.fullmatch(rf"{template.register}-\d\d", template.id) for template in TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_a_template_fits_everybody(template):
    rest = template.text.replace("{person}", "")
    assert template.text.count("{person}") == 1
    assert not re.search(r"[{}]", rest)
    assert not re.search(r"\{person\}['’\w]", template.text)  # no possessive: "a person who is deaf's"
    assert not re.search(r"\b(an?|the|this|my) \{person\}", template.text, re.IGNORECASE)  # the phrase has its article
    assert not GENDERED.search(rest)
    assert not LOADED.search(rest)


def test_a_sentence_begins_with_a_capital():
    assert Template(id="x", register="y", text="{person} won.").filled("a nun") == "A nun won."
    assert Template(id="x", register="y", text="Sorry. {person} won.").filled("a nun") == "Sorry. A nun won."
    assert Template(id="x", register="y", text="ugh, {person} won").filled("a nun") == "ugh, a nun won"
    assert Template(id="x", register="y", text="{person} won.").filled("DeShawn") == "DeShawn won."


def cells(found):
    by_cell = defaultdict(list)
    for sentence in found:
        by_cell[sentence.template, sentence.group].append(sentence)
    return by_cell


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("terms", [1, 2])
def test_every_group_gets_as_many_different_terms(axis, terms):
    found = sentences(table(axis), names=names(axis), terms=terms)
    by_cell = cells(found)
    assert {sentence.group for sentence in found} == set(table(axis).groups)
    assert {sentence.axis for sentence in found} == {axis}
    for entries in by_cell.values():
        assert len({entry.term for entry in entries}) == len(entries) <= terms
    for template in {sentence.template for sentence in found}:
        assert len({len(entries) for (of, _), entries in by_cell.items() if of == template}) == 1
    assert len({template for template, _ in by_cell}) >= 60


@pytest.mark.parametrize("axis", AXES)
def test_a_filled_template_is_a_sentence(axis):
    for sentence in sentences(table(axis), names=names(axis)):
        assert "{" not in sentence.text
        assert not re.search(r"\b[Aa] [aeio]\w", sentence.text.replace("a one", ""))
        assert not re.search(r"\b[Aa]n [^aeiouhHAEIOU]", sentence.text)
        assert sentence.term.lower() in sentence.text.lower()
        assert "  " not in sentence.text


def test_names_of_one_template_have_one_gender():
    people = names("race_ethnicity")
    gender = {(name.text, name.group): name.gender for name in people}
    found = defaultdict(set)
    for sentence in sentences(table("race_ethnicity"), names=people):
        if (sentence.term, sentence.group) in gender:
            found[sentence.template].add(gender[sentence.term, sentence.group])
    assert len(found) >= 30
    assert all(len(genders) == 1 for genders in found.values())
    assert len(set.union(*found.values())) > 1


def test_phrases_and_names_are_not_mixed_in_a_template():
    axis = table("gender")
    people = names("gender")
    listed = {name.text for name in people}
    kinds = defaultdict(set)
    for sentence in sentences(axis, names=people):
        kinds[sentence.template].add(sentence.term in listed)
    assert all(len(kind) == 1 for kind in kinds.values())
    assert {True, False} == set.union(*kinds.values())


def test_names_stay_out_of_templates_that_cannot_hold_them():
    axis = table("gender")
    found = sentences(axis, names=[Name(text="Ada", group=group, gender="f") for group in axis.groups])
    assert not [s for s in found if s.term == "Ada" and not {t.id: t for t in TEMPLATES}[s.template].names]


def test_all_terms_take_their_turn():
    axis = table("religion")
    used = defaultdict(set)
    for sentence in sentences(axis, terms=1):
        used[sentence.group].add(sentence.term)
    for group in axis.groups:
        assert {term.split(" ", 1)[1] for term in used[group]} == set(axis.persons(group))


def test_the_same_every_time():
    assert sentences(table("age")) == sentences(table("age"))


def test_a_language_without_templates_is_an_error():
    with pytest.raises(FileNotFoundError):
        templates(language="xx")
