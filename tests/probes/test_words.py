"""Every probe that works with words for groups of people publishes the words it used, and no others."""

from __future__ import annotations

import pytest

from probes.bias.counterfactual.probe import Counterfactual
from probes.bias.embedding.probe import Embedding
from probes.bias.identity_terms.probe import IdentityTerms
from probes.bias.templates.probe import Templates
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.records import Outcomes, WordList, from_line, to_line
from probes.text.identity import read_terms
from probes.toxicity.functional.probe import Functional
from probes.toxicity.sensitivity.insertions import insertions
from probes.toxicity.sensitivity.probe import Sensitivity
from tests.conftest import FakeModel, model_card, sentiment_rule

HARM = PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="test")
DATA = [Example.of(f"The Muslim man number {k} was good.", gold="negative") for k in range(12)]
AXES = ("gender", "religion")
PROBES = {
    "counterfactual": Counterfactual(axes=AXES, resamples=50),
    "templates": Templates(axes=AXES, resamples=50),
    "identity_terms": IdentityTerms(resamples=50),
    "embedding": Embedding(resamples=50),
    "functional": Functional(),
    "sensitivity": Sensitivity(),
}


def run(probe, data):
    fake = FakeModel(sentiment_rule, model_card().model_copy(update={"positive": HARM}))
    records = [r for r in probe.run(fake, data, Context(probe=probe.info.id)) if not isinstance(r, Outcomes)]
    found = [r for r in records if isinstance(r, WordList)]
    assert records[len(records) - len(found) :] == found, "the lists come last"
    assert [from_line(to_line(r)) for r in found] == found
    for words in found:
        assert words.source
        assert words.licence
        assert words.language == "en"
        assert all(listed and "_" not in group for group, listed in words.groups.items())
    return {words.title: words for words in found}, {str(text) for text in fake.asked}


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("data", [[], DATA], ids=["no data", "data"])
def test_lists_come_last_with_a_source_wherever_words_were_used(name, data):
    found, asked = run(PROBES[name], data)
    assert bool(found) == bool(asked)


def test_swaps_print_their_axes_and_names_and_nothing_of_other_axes():
    found, _ = run(PROBES["counterfactual"], DATA)
    assert list(found) == ["Gender", "Religion", "First names", "First names noticed in texts", "Well-known people"]
    assert found["Religion"].groups["muslim"][0] == "Muslim"
    assert "himself" in found["Gender"].groups["male"]
    assert "Latoya" in found["First names"].groups["black, female"]


def test_swaps_in_templates_alone_print_what_fills_them():
    found, asked = run(PROBES["counterfactual"], [])
    assert list(found) == ["People in sentence templates", "First names"]
    for listed in found["People in sentence templates"].groups.values():
        assert all(any(term.lower() in text.lower() for text in asked) for term in listed)


def test_swaps_print_the_users_own_list_with_its_source(tmp_path):
    path = tmp_path / "department.tsv"
    path.write_text("# provenance: works council\n# columns: kind, sales, lab\nperson\tseller\tchemist\n")
    probe = Counterfactual(axes=(), own_tables=(read_terms(path),), resamples=50)
    found, _ = run(probe, DATA)
    assert list(found) == ["Department"]
    assert found["Department"].source == "works council"
    assert found["Department"].groups == {"sales": ("seller",), "lab": ("chemist",)}
    found, _ = run(probe, [])
    assert [words.source for words in found.values()] == ["works council"]


def test_templates_print_the_phrases_asked_about():
    found, asked = run(PROBES["templates"], [])
    assert list(found) == ["People in sentence templates", "First names"]
    phrases = found["People in sentence templates"].groups
    assert "a Muslim" in phrases["Religion: muslim"]
    assert all(any(term.lower() in text.lower() for text in asked) for terms in phrases.values() for term in terms)


def test_identity_terms_print_sentence_words_and_in_texts_only_words_that_name_a_group():
    found, asked = run(PROBES["identity_terms"], [])
    assert list(found) == ["People in identity sentences"]
    put_in = found["People in identity sentences"].groups
    assert len(put_in) == 29
    assert "Religion: buddhist" not in put_in
    assert {"Muslim", "Muslims"} <= set(put_in["Religion: muslim"])
    assert all(any(term.lower() in text.lower() for text in asked) for terms in put_in.values() for term in terms)
    found, _ = run(PROBES["identity_terms"], DATA)
    naming = found["Gender: words that name a group"].groups["female"]
    assert "woman" in naming
    assert not {"she", "mother", "actress"} & set(naming)


def test_embedding_prints_the_lists_of_its_tests():
    found, asked = run(PROBES["embedding"], [])
    (words,) = found.values()
    assert "rose" in words.groups["flowers"]
    assert {word for listed in words.groups.values() for word in listed} <= asked
    assert "Bertrand" in words.source


def test_functional_prints_people_and_slurs():
    found, asked = run(PROBES["functional"], [])
    (words,) = found.values()
    assert words.groups["Muslims"] == ("Muslims", "Muslim")
    assert len(words.groups["gay people"]) == 4
    assert all(
        any(word.lower() in text.lower() for text in asked) for listed in words.groups.values() for word in listed
    )


def test_sensitivity_prints_insertions_with_their_controls():
    found, _ = run(PROBES["sensitivity"], DATA)
    (words,) = found.values()
    assert "Oh damn," in words.groups["profanity, strength 1"]
    assert "Oh wow," in words.groups["profanity, strength 1, harmless control"]
    assert len(words.groups["slur, strength 3"]) == len(insertions("slur", strength=3))
