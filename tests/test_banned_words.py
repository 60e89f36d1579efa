"""Nothing this tool writes gives a verdict that no test can give: every constant, template, preset and made file."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from probes.registry import load_registry
from reports import render
from reports.formats import FORMATS
from reports.load import load
from reports.vocabulary import banned_words
from tests.reports import synthetic_run as synthetic
from tests.reports.test_render import Page

ROOT = Path(__file__).resolve().parents[1]

ALLOWED = (
    ("prove good", "the name of a burden of proof, which says who must show what"),
    ("prove bad", "the name of a burden of proof, which says who must show what"),
    ("Certified Robustness to Adversarial", "the title of a paper"),
    ("unbiased estimate", "of an estimator, in its sense in statistics"),
)
"""Fragments that may stand, each with its reason; a sentence that denies ("does not certify") would be one."""

NOT_OURS = {
    "reports/vocabulary.py": "the list of the words itself",
    "probes/core/positive.py": "names of labels that other people's models use",
}
"""Modules whose constants are no text of ours. Texts that are shown to models (corpora, lexicons) are not looked at."""


def said(text: str) -> tuple[str, ...]:
    """The words of a verdict in a text, without what is allowed."""
    plain = " ".join(text.split())
    for fragment, _ in ALLOWED:
        for written in (fragment, fragment.capitalize()):
            plain = plain.replace(written, "")
    return banned_words(plain)


@cache
def constants(path: Path) -> list[tuple[int, str]]:
    """(line, text) of every string of a module but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]  # type: ignore[attr-defined]
    docs = {id(node.value) for body in bodies for node in body if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [(node.lineno, str(node.value)) for node in strings if id(node) not in docs]


MODULES = sorted(path for package in ("audits", "probes", "reports") for path in (ROOT / package).rglob("*.py"))
FILES = sorted(
    path
    for pattern in ("templates/**/*", "audits/**/*.yaml", "reports/**/*.yaml", "docs/ci/**/*")
    for path in ROOT.glob(pattern)
    if path.is_file()
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The model is compliant, certified and safe.", ("compliant", "certified", "safe")),
        ("It conforms and guarantees that it is fair and unbiased.", ("conforms", "guarantees", "fair", "unbiased")),
        ("Good job! No issues. This proves it.", ("Good job", "No issues", "proves")),
        ("fairness, safety, a burden that must prove good", ()),
        ("This does not certify anything.", ("certify",)),
    ],
)
def test_the_lint_finds_the_words_and_leaves_the_topics(text, words):
    assert said(text) == words


def test_constants_are_found_and_docstrings_are_not(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(
        '"""safe"""\n\n\ndef f(x):\n    """fair"""\n    return f"{x} is compliant" + "ok"\n', encoding="utf-8"
    )
    assert [text for _, text in constants(path)] == ["ok", " is compliant"]


def test_no_module_says_them():
    found = [
        (str(path.relative_to(ROOT)), line, said(text))
        for path in MODULES
        if str(path.relative_to(ROOT)) not in NOT_OURS
        for line, text in constants(path)
        if said(text)
    ]
    assert len(MODULES) > 200
    assert found == []


def test_no_template_preset_map_or_ci_file_says_them():
    assert len(FILES) > 25
    found = [(str(path.relative_to(ROOT)), said(path.read_text(encoding="utf-8"))) for path in FILES]
    assert [each for each in found if each[1]] == []


def test_no_description_of_a_probe_says_them():
    texts = {probe.info.id: " ".join(probe.info.doc.texts) for probe in load_registry().probes.values()}
    assert {name: said(text) for name, text in texts.items() if said(text)} == {}


@pytest.mark.parametrize("told", sorted(set(synthetic.SITUATIONS) - {"hostile"}))
def test_no_report_and_no_file_made_of_a_run_says_them(told, tmp_path):
    run = synthetic.SITUATIONS[told](tmp_path / "run")
    made = {form.file: form.render(load(run)).decode("utf-8") for form in FORMATS.values()}
    for unmask in (False, True):
        made[f"report, unmask={unmask}"] = Page(render(run, unmask=unmask).decode("utf-8")).words
    assert {name: said(text) for name, text in made.items() if said(text)} == {}


def test_every_exception_is_needed():
    texts = [text for path in MODULES for _, text in constants(path)]
    texts += [" ".join(probe.__doc__ or "" for probe in load_registry().probes.values())]
    texts += [" ".join(p.info.doc.texts) for p in load_registry().probes.values()]
    everything = " ".join(" ".join(text.split()) for text in texts)
    assert [f for f, _ in ALLOWED if f not in everything and f.capitalize() not in everything] == []
    for name in NOT_OURS:
        assert any(banned_words(text) for _, text in constants(ROOT / name)), name
