"""The import arrows of the design, checked on the syntax tree and in fresh interpreters."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("audits", "probes", "reports")
RISKS = sorted(
    folder.name
    for folder in (ROOT / "probes").iterdir()
    if folder.is_dir() and folder.name not in ("core", "model", "data", "text", "__pycache__")
)
HEAVY = ("torch", "transformers", "captum", "peft", "datasets", "evaluate")


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package.replace(".", "/")).rglob("*.py"))


@cache
def read(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Every module a file imports, at top level or inside functions, and every plain name it calls."""
    imported: set[str] = set()
    called: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
            imported.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    return frozenset(imported), frozenset(called)


def imports(path: Path) -> frozenset[str]:
    return read(path)[0]


def starts(name: str, *prefixes: str) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def own(path: Path) -> set[str]:
    return {name for name in imports(path) if starts(name, *OURS)}


@pytest.mark.parametrize("path", modules("probes/core"), ids=str)
def test_core_is_a_leaf(path):
    assert all(starts(name, "probes.core", "probes") and not starts(name, "probes.model") for name in own(path))
    assert not any(starts(name, *HEAVY, "pyarrow", "jinja2", "click", "rich") for name in imports(path))
    assert {name for name in own(path) if not starts(name, "probes.core")} <= {"probes"}


@pytest.mark.parametrize("risk", RISKS)
def test_risk_packages_see_only_core_and_themselves(risk):
    for path in modules(f"probes/{risk}"):
        for name in own(path):
            assert starts(name, "probes.core", "probes.text", f"probes.{risk}"), f"{path} imports {name}"
        # An evaluate.Metric declares its inputs as datasets.Features; the probes do not import this module.
        allowed = {"evaluate", "datasets"} if path.name == "evaluate_metrics.py" else set()
        heavy = {name.split(".")[0] for name in imports(path)} & set(HEAVY)
        assert heavy <= allowed, path


@pytest.mark.parametrize(
    ("package", "allowed", "libraries"),
    [
        ("probes/model", ("probes.core", "probes.model"), {"torch", "transformers", "captum", "peft"}),
        ("probes/data", ("probes.core", "probes.data"), {"datasets"}),
        ("probes/text", ("probes.core", "probes.text"), set()),
        ("reports", ("probes.core", "probes.text", "reports"), set()),
    ],
)
def test_packages_import_what_the_design_allows(package, allowed, libraries):
    for path in modules(package):
        assert all(starts(name, *allowed) for name in own(path)), path
        assert {name.split(".")[0] for name in imports(path)} & set(HEAVY) <= libraries, path


def test_audits_never_import_torch():
    for path in modules("audits"):
        assert not any(starts(name, *HEAVY) for name in imports(path)), path


VERBS = ("run", "plan", "gate", "report", "probes", "show", "demo", "doctor")
LIGHT = {
    "the command line": ["import audits.cli"],
    "its help and that of its verbs": [
        f"from audits.cli import cli; cli.main({called}, standalone_mode=False)"
        for called in (["--help"], *([verb, "--help"] for verb in VERBS))
    ],
    "gate and reports": ["import audits.gate.judgement, audits.policy.policy, reports"],
}
"""Name -> what a fresh interpreter runs, one after the other: what one of them loads is there to the end."""


@pytest.mark.parametrize("name", LIGHT)
def test_light_verbs_load_nothing_heavy(name):
    check = "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules), "
    lines = ["import sys", *(line for code in LIGHT[name] for line in (code, f"{check}{code!r}"))]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_module_is_called_by_what_it_is_not():
    banned = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
    for package in OURS:
        for path in modules(package):
            assert path.stem not in banned, path


def test_nothing_prints_but_the_console():
    for package in OURS:
        for path in modules(package):
            assert not read(path)[1] & {"print", "eval", "exec"}, path


def test_no_pickle():
    for package in OURS:
        for path in modules(package):
            assert not imports(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}, path


def test_no_package_markers_under_tests():
    assert not list((ROOT / "tests").rglob("__init__.py"))
