"""Recipes that the user names, and where TextAttack is looked for."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits import textattack
from audits.cli import cli
from audits.config import Config, SuiteEntry
from audits.planning.recipes import ITEMS, PROBE, add_textattack, with_recipes
from audits.planning.suites import BUILT_IN
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.registry import load_registry
from probes.robustness.adversarial.recipe import Resource
from probes.robustness.textattack.bridge import Found, Peer
from tests.conftest import model_card


def config(*recipes, **changes):
    return Config(model="m", recipes=recipes, **changes)


def test_named_recipes_run_whatever_the_suite_holds():
    suite = (SuiteEntry(probes=PROBE, leave_out=True), SuiteEntry(probes="performance.*"))
    first, *rest = with_recipes(suite, ("pwws", "fast"))
    assert (first.probes, first.items, first.leave_out) == (PROBE, ITEMS, False)
    assert first.parameters["recipes"] == ("pwws", "fast")
    assert tuple(rest) == suite
    assert with_recipes(suite, ()) == suite


def test_what_the_suite_says_of_the_probe_stays():
    own = SuiteEntry(probes=PROBE, items=7, parameters={"budget": 50})
    first = with_recipes((own,), ("pwws",))[0]
    assert (first.items, first.parameters) == (7, {"budget": 50, "recipes": ("pwws",)})


@pytest.mark.parametrize("suite", BUILT_IN)
def test_built_in_suites_take_recipes(suite):
    assert with_recipes(BUILT_IN[suite], ("deepwordbug",))[0].parameters["recipes"] == ("deepwordbug",)


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine without TextAttack."""
    monkeypatch.delenv(textattack.PYTHON, raising=False)
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path))
    monkeypatch.setattr(textattack.importlib.util, "find_spec", lambda name: None)
    return tmp_path


def environment(folder: Path, version: str) -> Path:
    """What an environment with TextAttack looks like from outside."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (folder / "lib" / "python3.11" / "site-packages" / f"textattack-{version}.dist-info").mkdir(parents=True)
    return python


def test_without_textattack_its_recipes_are_refused(nowhere):
    with pytest.raises(UsageError, match=r"textattack:pwws.*needs TextAttack") as refused:
        add_textattack(load_registry(), config("textattack:pwws"), model=model_card())
    assert "audit textattack install" in refused.value.hint


def test_what_it_has_not_is_refused_first(nowhere):
    with pytest.raises(UsageError, match="no recipe 'pws'"):
        add_textattack(load_registry(), config("textattack:pws"), model=model_card())


def test_other_recipes_need_none(nowhere):
    registry = load_registry()
    before = registry.probes[PROBE]
    add_textattack(registry, config("deepwordbug"), model=model_card())
    assert registry.probes[PROBE] is before


def test_models_that_it_does_not_attack_are_refused_when_planned():
    card = model_card(problem=ProblemType.REGRESSION, labels=("score",))
    with pytest.raises(UsageError, match="one label a text; fake is none"):
        add_textattack(load_registry(), config("textattack:pwws"), model=card)


def test_where_it_is_looked_for(nowhere, monkeypatch):
    assert textattack.find_peer() is None
    built = environment(nowhere / "textattack" / "venv", "0.3.11")
    assert textattack.find_peer() is None  # not built to the end
    (nowhere / "textattack" / "ready").touch()
    assert textattack.find_peer() == Peer(built, nowhere / "textattack" / "data", "0.3.11")
    named = environment(nowhere / "own", "0.3.12")
    monkeypatch.setenv(textattack.PYTHON, str(named))
    assert textattack.find_peer() == Peer(named, nowhere / "textattack" / "data", "0.3.12", named=textattack.PYTHON)
    monkeypatch.setenv(textattack.PYTHON, str(nowhere / "gone"))
    with pytest.raises(UsageError, match="names no interpreter"):
        textattack.find_peer()


@dataclass
class StandIn:
    found: Found
    version: str = "0.0.test"
    asked: list[str] = field(default_factory=list)

    def attack(self, recipe, items, ask, *, budget):
        self.asked.append(recipe)
        return [self.found] * len(items)


@pytest.mark.parametrize(
    "asked", [config("textattack:pwws"), config(probes={PROBE: {"recipes": ["deepwordbug", "textattack:pwws"]}})]
)
def test_the_probe_gets_it_and_the_record_says_which(asked, nowhere, monkeypatch):
    peer = StandIn(Found("FailedAttackResult", "x", 3))
    monkeypatch.setattr(textattack, "find_peer", lambda: peer)
    registry = load_registry()
    add_textattack(registry, asked, model=model_card())
    probe = registry.probes[PROBE]
    assert probe.given[Resource.TEXTATTACK] is peer
    assert probe.resources[-1] == "TextAttack 0.0.test"
    assert peer.asked == ["pwws"]  # tried once, before anything runs


def test_a_dry_run_builds_nothing(nowhere):
    done = CliRunner().invoke(cli, ["textattack", "install", "--dry-run"])
    assert done.exit_code == 0
    assert "2 GB" in done.output
    assert f"textattack=={textattack.VERSION}" in done.output
    assert list(nowhere.iterdir()) == []


def test_an_installation_that_fails_leaves_nothing_that_looks_ready(nowhere, monkeypatch):
    monkeypatch.setattr(textattack.venv, "create", lambda folder, with_pip: environment(folder, "0.3.11"))
    failing = [sys.executable, "-c", "import sys; sys.exit('ERROR: no matching distribution')"]
    monkeypatch.setattr(textattack, "commands", lambda folder: [[], failing, failing])
    with pytest.raises(UsageError, match="could not install TextAttack: no matching distribution"):
        textattack.install(progress=lambda line: None)
    assert textattack.find_peer() is None


FETCHES = """
import sys
from pathlib import Path

for name in sys.argv[2:]:
    (Path(sys.argv[1]) / "corpora" / name).mkdir(parents=True)
"""


def installed(monkeypatch, fetched: Path, *names: str) -> list[str]:
    """What an installation says whose downloader gets only these, and ends with 0 all the same."""
    said = []
    monkeypatch.setattr(textattack.venv, "create", lambda folder, with_pip: environment(folder, "0.3.11"))
    python = [sys.executable, "-c"]
    steps = [[], [*python, ""], [*python, FETCHES, str(fetched), *names]]
    monkeypatch.setattr(textattack, "commands", lambda folder: steps)
    assert textattack.install(progress=said.append).version == "0.3.11"
    return said


def test_an_installation_without_nltks_data_says_so(nowhere, monkeypatch):
    monkeypatch.delenv("NLTK_DATA", raising=False)
    got, *others = textattack.NLTK_DATA
    last = installed(monkeypatch, nowhere / "textattack" / "data" / "nltk_data", got)[-1]
    assert last == f"nltk's {', '.join(others)} could not be fetched: name a folder that has them with NLTK_DATA"


@pytest.mark.parametrize("named", [True, False])
def test_an_installation_with_nltks_data_says_nothing_of_them(nowhere, monkeypatch, named):
    fetched = nowhere / "mine" if named else nowhere / "textattack" / "data" / "nltk_data"
    monkeypatch.setenv("NLTK_DATA", os.pathsep.join([str(nowhere / "none"), str(fetched)]) if named else "")
    said = installed(monkeypatch, fetched, *textattack.NLTK_DATA)
    assert not any("NLTK_DATA" in line for line in said)
