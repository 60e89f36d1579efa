from __future__ import annotations

import random

import pytest

from probes.text.perturbations import chains
from probes.text.perturbations.chains import (
    PERTURBATIONS,
    chain_phone_message,
    chain_scanned_document,
    chain_voice_transcript,
)

TEXT = (
    "They're going to be late because the weather is not good. Please wait for 5 people at their house tomorrow, "
    "and do not forget your keys! See https://example.com/Their or ask @User."
)


def over_seeds(apply, severity, seeds=20):
    return [apply(TEXT, severity, random.Random(seed)) for seed in range(seeds)]


def test_names():
    assert [p.name for p in PERTURBATIONS] == [
        "chain_phone_message",
        "chain_scanned_document",
        "chain_voice_transcript",
    ]
    assert {p.meaning for p in PERTURBATIONS} == {"mostly_kept"}


@pytest.mark.parametrize("apply", [chain_phone_message, chain_scanned_document, chain_voice_transcript])
def test_links_and_handles_survive(apply):
    for out in over_seeds(apply, 5):
        assert "https://example.com/Their" in out
        assert "@User" in out


def test_phone_message_has_its_ingredients():
    outs = over_seeds(chain_phone_message, 5)
    for sign in ("cuz", "gonna", "plz", "don't", "ppl"):
        assert any(sign in out for out in outs)
    assert all(sum(map(str.isupper, out)) < sum(map(str.isupper, TEXT)) for out in outs)


def test_scanned_document_has_its_ingredients():
    outs = over_seeds(chain_scanned_document, 5)
    assert all("\n" in out for out in outs)
    assert all("5" in out for out in outs)
    assert len(set(outs)) > 10


def test_voice_transcript_has_its_ingredients():
    outs = over_seeds(chain_voice_transcript, 5)
    assert all("five" in out for out in outs)
    assert any("there" in out.split() for out in outs)
    assert all(out.count("!") + out.count(",") < 2 for out in outs)
    assert all("not" in out for out in outs)


@pytest.mark.parametrize("apply", [chain_phone_message, chain_scanned_document, chain_voice_transcript])
def test_more_is_changed_at_a_higher_severity(apply):
    def untouched(severity):
        return sum(len(set(TEXT.split()) & set(out.split())) for out in over_seeds(apply, severity))

    counts = [untouched(severity) for severity in (1, 3, 5)]
    assert counts[0] > counts[1] > counts[2]


def test_severity_is_passed_through(monkeypatch):
    seen = []

    def note(text, severity, rng):
        seen.append((severity, rng.random()))
        return text

    monkeypatch.setattr(chains, "homophones", note)
    monkeypatch.setattr(chains, "number_words", note)
    chains.chain_voice_transcript(TEXT, 4, random.Random(0))
    assert [severity for severity, _ in seen] == [4, 4]
    assert seen[0][1] != seen[1][1]


def test_a_step_that_would_leave_nothing_is_left_out():
    for perturbation in PERTURBATIONS:
        for seed in range(20):
            assert perturbation.apply(".", 5, random.Random(seed)).strip()
