from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.robustness.catalogue import ALL
from probes.text.perturbations.perturbation import Perturbation

each = pytest.mark.parametrize("perturbation", ALL, ids=lambda p: p.name)
PROTECTED = (
    "https://example.org/a_b?c=Don't",
    "who.me@example.org",
    "@someone",
    "#something",
    "[MASK]",
    "<br/>",
    "{x}",
)


def test_names_are_unique_and_name_their_function() -> None:
    names = [perturbation.name for perturbation in ALL]
    assert len(names) == len(set(names)) >= 28
    titles = [perturbation.title for perturbation in ALL]
    assert len(titles) == len(set(titles))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", name) for name in names)


@each
def test_documentation_is_complete(perturbation: Perturbation) -> None:
    doc = perturbation.doc
    assert doc.question.endswith("?")
    assert re.search(r"\b(19|20)\d\d\b|Unicode", doc.references)


@each
@settings(max_examples=25)
@given(st.text(max_size=80), st.integers(1, 5), st.integers(0, 9))
def test_any_text_gives_a_text_and_the_same_one_again(perturbation: Perturbation, text, severity, seed) -> None:
    after = perturbation.apply(text, severity, random.Random(seed))
    assert isinstance(after, str)
    assert after == perturbation.apply(text, severity, random.Random(seed))


@each
def test_the_global_random_state_is_neither_read_nor_moved(perturbation: Perturbation) -> None:
    text = "We don't think the two quick brown foxes, Réné said, can't jump over 3 lazy dogs."
    random.seed(1)
    state = random.getstate()
    first = perturbation.apply(text, 3, random.Random(5))
    assert random.getstate() == state
    random.seed(2)
    assert perturbation.apply(text, 3, random.Random(5)) == first


@each
@pytest.mark.parametrize("protected", PROTECTED)
def test_references_and_placeholders_survive(perturbation: Perturbation, protected: str) -> None:
    text = f"I don't know what the great big thing at {protected} is, and we aren't going to find out."
    for seed in range(3):
        for severity in (1, 5):
            assert protected in perturbation.apply(text, severity, random.Random(seed))


@each
@pytest.mark.parametrize("text", ["", " ", "\n", "7"])
def test_nothing_to_perturb_is_left_alone_or_stays_a_text(perturbation: Perturbation, text: str) -> None:
    for severity in range(1, 6):
        after = perturbation.apply(text, severity, random.Random(0))
        assert text in after
