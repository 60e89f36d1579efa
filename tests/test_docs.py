"""The documentation says what the code does, and speaks as the project may."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from audits.policy.lint import lint
from audits.policy.policy import parse_policy
from probes.registry import load_registry

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md")])


def test_generated_pages_are_current(tmp_path):
    # In a process of its own: click keeps the help of a command as it was first asked for.
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True, cwd=ROOT)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert made
    for path in made:
        kept = ROOT / "docs" / path.relative_to(tmp_path)
        assert kept.read_text(encoding="utf-8") == path.read_text(encoding="utf-8"), "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    from audits.cli import COMMANDS

    for verb in re.findall(r"^\s*(?:\$ )?audit ([a-z]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
        assert verb in COMMANDS, f"{page}: audit {verb}"


SNIPPETS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    if re.search(r"^ *- check:", block, re.MULTILINE)
]


@pytest.mark.parametrize("block", SNIPPETS)
def test_checks_are_such_as_lint_accepts(block):
    head = "" if block.startswith("apiVersion:") else 'apiVersion: audit-policy/v1\nid: example\nversion: "1"\n'
    checks = block if head == "" or block.startswith("checks:") else f"checks:\n{block}"
    policy = parse_policy(head + checks, name="policy.yaml")
    lint(policy, probes=list(load_registry().probes), on=policy.file.approved_on or date(2026, 11, 1))


def test_there_are_checks_in_the_documentation():
    assert len(SNIPPETS) >= 4


def test_there_are_pages():
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} <= {page.name for page in PAGES}
