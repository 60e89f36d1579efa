"""The policies that come with the package, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "policies"

PRESETS: Mapping[str, str] = {
    "default": "floors below which hardly anybody would release",
    "screening": "nothing blocks and nothing is required: for a first look at a model or at this tool",
    "release": "default, and no loss against the model approved last; alarms must rest on enough data",
    "regulated": "release, with the burden of proof turned round and few, short exceptions",
}
"""Name -> what it is for."""


def preset_path(name: str) -> Path:
    """Where a preset is."""
    return _FOLDER / f"{name}.yaml"
