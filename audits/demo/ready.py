"""What says that something was built to the end: a file written last, with the digest of every other."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from audits.demo.sources import file_digest
from probes.core.run_folder import write_atomic

NAME = "ready.json"


def mark_ready(folder: Path, *, parts: Sequence[str], identity: Mapping[str, Any], **facts: Any) -> None:
    """Say that everything in these parts of the folder is finished.

    Args:
        identity: what it was built from, and how; another one needs another build.
        facts: what else is worth keeping.
    """
    files = sorted(path for part in parts for path in (folder / part).rglob("*") if path.is_file())
    marker = {
        **identity,
        **facts,
        "versions": {name: distribution_version(name) for name in ("responsible-audit", "torch", "transformers")},
        "python": platform.python_version(),
        "files": {path.relative_to(folder).as_posix(): file_digest(path) for path in files},
    }
    write_atomic(folder / NAME, (json.dumps(marker, indent=2) + "\n").encode())


def is_ready(folder: Path, *, identity: Mapping[str, Any]) -> bool:
    """Is there a finished build of this very identity, with every file as it was written."""
    try:
        marker = json.loads((folder / NAME).read_bytes())
        same = {key: marker.get(key) for key in identity} == dict(identity)
        return same and all(file_digest(folder / name) == digest for name, digest in marker["files"].items())
    except (FileNotFoundError, ValueError, KeyError, AttributeError):
        return False


def distribution_version(distribution: str) -> str:
    """Version of an installed distribution, or "unknown"."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
