from __future__ import annotations

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.text.lexicon import rows
from probes.text.perturbations.context import (
    PERTURBATIONS,
    forwarded_message,
    irrelevant_prefix,
    irrelevant_suffix,
    url_handle_noise,
)
from probes.text.perturbations.perturbation import SEVERITIES

TEXT = "The film was not bad at all."
LOADED = "good bad great happy sad love hate best worst sorry thanks please not no never angry death war free win money"


@pytest.mark.parametrize("severity", SEVERITIES)
def test_as_many_links_handles_and_hashtags_as_the_severity(severity):
    for seed in range(20):
        out = url_handle_noise(TEXT, severity, random.Random(seed))
        assert TEXT in out
        added = out.replace(TEXT, "").split()
        assert len(added) == severity
        assert all(re.fullmatch(r"https://example\.com/[a-z0-9]{6}|@user\d{4}|#[a-z]+", item) for item in added)


def test_all_three_kinds_occur_on_both_sides():
    outs = [url_handle_noise(TEXT, 5, random.Random(seed)) for seed in range(20)]
    sides = [out.split(TEXT) for out in outs]
    for sign in ("https://", "@user", "#"):
        assert any(sign in before for before, _ in sides)
        assert any(sign in behind for _, behind in sides)


@pytest.mark.parametrize("apply", [url_handle_noise, irrelevant_suffix, irrelevant_prefix])
def test_higher_severities_add_to_lower_ones(apply):
    added = [set(apply(TEXT, s, random.Random(3)).replace(TEXT, "").split()) for s in SEVERITIES]
    assert all(low <= high for low, high in itertools.pairwise(added))
    assert len(added[0]) < len(added[-1])


@pytest.mark.parametrize("severity", SEVERITIES)
def test_sentences_come_from_the_list_and_do_not_repeat(severity):
    out = irrelevant_suffix(TEXT, severity, random.Random(severity))
    assert out.startswith(TEXT + " ")
    used = [s for (s,) in rows("irrelevant_suffixes") if s in out]
    assert len(used) == severity
    out = irrelevant_prefix(TEXT, severity, random.Random(severity))
    assert out.endswith(" " + TEXT)
    used = [s for (s,) in rows("irrelevant_prefixes") if s in out]
    assert len(used) == severity


@pytest.mark.parametrize("name", ["irrelevant_suffixes", "irrelevant_prefixes"])
def test_sentences_are_sentences_without_sentiment_or_negation(name):
    for (sentence,) in rows(name):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert set(re.findall(r"[a-z']+", sentence.lower())).isdisjoint(LOADED.split())


def test_a_text_without_an_end_is_kept_apart():
    assert irrelevant_suffix("great film", 1, random.Random(0)).startswith("great film\n")
    assert irrelevant_suffix("great film ", 1, random.Random(0)).startswith("great film ")
    assert irrelevant_suffix("great film!", 1, random.Random(0)).startswith("great film! ")


def test_forwarding_quotes_every_line_once_for_each_severity():
    head = "---------- Forwarded message ----------"
    assert forwarded_message("a\nb", 1, random.Random(0)) == f"{head}\n> a\n> b"
    assert forwarded_message("a\nb", 2, random.Random(0)) == f"{head}\n> {head}\n> > a\n> > b"


@given(st.text())
def test_the_text_itself_is_in_the_result(text):
    for apply in (url_handle_noise, irrelevant_suffix, irrelevant_prefix):
        assert text in apply(text, 5, random.Random(0))


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)
def test_an_empty_text_stays(perturbation):
    assert perturbation.apply(" ", 5, random.Random(0)) == " "
    assert perturbation.meaning == "kept"
