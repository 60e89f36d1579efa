"""A probe's documentation is its docstring."""

from __future__ import annotations

import pytest

from probes.core.probe import HEADINGS, Context, ProbeDoc

GOOD = """How often does it change its mind?

    Measures: a share,
        over two lines.

    Why it matters:
        people are
        affected.
    Method: ask twice. Note: colons inside a line are no headings.
    Limits: some.
    References: Nobody (2000).
    """


def test_parts():
    doc = ProbeDoc.parse(GOOD)
    assert doc.question == "How often does it change its mind?"
    assert doc.measures == "a share, over two lines."
    assert doc.why == "people are affected."
    assert doc.method == "ask twice. Note: colons inside a line are no headings."
    assert (doc.limits, doc.references) == ("some.", "Nobody (2000).")


@pytest.mark.parametrize("field", ["Args", "Attributes"])
def test_what_callers_are_told_is_no_reference(field):
    assert ProbeDoc.parse(f"{GOOD}\n    {field}:\n        count: how many.\n    ") == ProbeDoc.parse(GOOD)


def test_order_of_headings_is_free():
    lines = GOOD.replace("    Limits: some.\n", "").replace("    Measures:", "    Limits: some.\n    Measures:")
    assert ProbeDoc.parse(lines) == ProbeDoc.parse(GOOD)


@pytest.mark.parametrize("heading", HEADINGS)
def test_missing_heading_is_named(heading):
    with pytest.raises(ValueError, match=heading):
        ProbeDoc.parse(GOOD.replace(f"{heading}:", "Something else:"))


@pytest.mark.parametrize("heading", HEADINGS)
def test_empty_heading_is_missing(heading):
    with pytest.raises(ValueError, match=heading):
        ProbeDoc.parse(f"Q?\n\n{heading}:\n" + "".join(f"{other}: text\n" for other in HEADINGS if other != heading))


@pytest.mark.parametrize("docstring", [None, "", "\n".join(f"{heading}: text" for heading in HEADINGS)])
def test_missing_question(docstring):
    with pytest.raises(ValueError, match="lacks"):
        ProbeDoc.parse(docstring)


def test_context_derives_its_randomness_from_seed_probe_and_keys():
    def draw(seed=0, probe="a.b", *keys):
        return Context(probe=probe, seed=seed).rng(*keys).random()

    assert draw() == draw()
    assert len({draw(), draw(1), draw(0, "a.c"), draw(0, "a.b", "e1"), draw(0, "a.b", "e1", 2)}) == 5
    assert Context(probe="a.b").generator("x").random() == Context(probe="a.b").generator("x").random()
