from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from probes import registry as module
from probes.core.errors import UsageError
from probes.registry import load_registry

PLUGIN = '''
from dataclasses import dataclass
from typing import ClassVar
from probes import Accounting, ProbeDoc, ProbeInfo

@dataclass(frozen=True, kw_only=True)
class Shout:
    """Does the answer survive shouting?

    Measures: whether upper case changes the answer, as a stand-in for a real measurement.
    Why it matters: people shout, and they should get the same answer as those who do not.
    Method: nothing is measured in this example; it publishes its accounting only.
    Limits: it is an example of a plug-in and shows nothing about any model.
    References: none are needed for an example such as this.
    """

    info: ClassVar[ProbeInfo]
    loud: bool = True

    def run(self, model, data, ctx):
        model.classify([example.text for example in data])
        yield Accounting(eligible=len(data), scored=len(data))

Shout.info = ProbeInfo(id="acme.shout", version=1, risk="acme", title="Shouting", doc=ProbeDoc.parse(Shout.__doc__))
PROBES = (Shout,)
'''


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shout.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_built_in_probes_are_there_in_a_fixed_order():
    names = list(load_registry().probes)
    assert names == list(load_registry().probes)
    assert names[:2] == ["performance.quality", "performance.calibration"]
    assert sum(name.startswith("robustness.") for name in names) >= 30


def test_a_plugin_file_is_registered(tmp_path):
    registry = load_registry(plugin_files=[write(tmp_path, PLUGIN)])
    assert registry.get("acme.shout").info.doc.question == "Does the answer survive shouting?"


def test_two_probes_of_one_name_are_refused_naming_both(tmp_path):
    path = write(tmp_path, PLUGIN.replace("acme.shout", "performance.quality"))
    with pytest.raises(UsageError) as caught:
        load_registry(plugin_files=[path])
    assert "built-in" in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "text", ["x = 1\n", "raise RuntimeError('no')\n", "def (\n", "import nothing_of_this_name\n", "PROBES = 3\n"]
)
def test_a_broken_plugin_file_is_one_line(tmp_path, text):
    with pytest.raises(UsageError, match="does not load"):
        load_registry(plugin_files=[write(tmp_path, text)])


def test_a_missing_plugin_file(tmp_path):
    with pytest.raises(UsageError, match="no plug-in file"):
        load_registry(plugin_files=[tmp_path / "none.py"])


def test_a_broken_installed_plugin_is_kept_as_broken(monkeypatch):
    point = EntryPoint(name="acme", value="nothing_of_this_name:PROBES", group=module.GROUP)
    monkeypatch.setattr(module, "entry_points", lambda group: [point])
    registry = load_registry()
    assert registry.broken[0].name == "acme"
    assert "nothing_of_this_name" in registry.broken[0].reason
    assert registry.probes


def test_unknown_names_suggest():
    with pytest.raises(UsageError) as caught:
        load_registry().get("performance.qualty")
    assert "performance.quality" in caught.value.hint
