"""A judged run in the formats that CI systems, hubs and inventories read, each made from what is on disk alone.

One module a format, each with one pure function from a run in memory to the bytes of a file. Nothing here decides
anything, reads a clock or sends anything anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from probes.core.errors import UsageError, did_you_mean
from probes.core.run_folder import RunFolder, write_atomic
from reports.formats.cyclonedx import cyclonedx
from reports.formats.github import annotation_file, publish_to_github
from reports.formats.gitlab import code_quality
from reports.formats.junit import junit
from reports.formats.model_card import model_card
from reports.formats.openmetrics import openmetrics
from reports.formats.sarif import sarif
from reports.formats.summary import comment, summary
from reports.load import Loaded, load
from reports.redacted import without_personal

__all__ = ["ALL", "FORMATS", "Format", "publish_to_github", "write_formats"]


@dataclass(frozen=True, slots=True)
class Format:
    """A file at the top of the run folder, and what makes it of a run that may be shown to anybody."""

    file: str
    make: Callable[[Loaded], bytes]

    def render(self, loaded: Loaded) -> bytes:
        """The content of the file; personal data of a known form are masked."""
        return self.make(without_personal(loaded))


FORMATS: Mapping[str, Format] = {
    "junit": Format("junit.xml", junit),
    "sarif": Format("findings.sarif", sarif),
    "annotations": Format("annotations.txt", annotation_file),
    "summary": Format("summary.md", summary),
    "pull-request": Format("pull-request.md", comment),
    "code-quality": Format("gl-code-quality.json", code_quality),
    "metrics": Format("metrics.txt", openmetrics),
    "model-card": Format("model-card.md", model_card),
    "cyclonedx": Format("model.cdx.json", cyclonedx),
}
ALL = tuple(FORMATS)


def write_formats(run: RunFolder, names: Iterable[str] = ALL, *, loaded: Loaded | None = None) -> tuple[Path, ...]:
    """Write a run in the formats named; the same run gives the same bytes.

    Args:
        loaded: the run in memory, for those who have read it already.

    Returns:
        The files, in the order of `names`.

    Raises:
        UsageError: for a format that is not known, or when it is no run folder.
        IntegrityError: when a file of it is damaged.
        OutputError: when a file cannot be written.
    """
    chosen = [_format(name) for name in names]
    shown = without_personal(loaded or load(run))
    for form in chosen:
        write_atomic(run.file(form.file), form.make(shown))
    return tuple(run.file(form.file) for form in chosen)


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise UsageError(f"no format is called {name!r}", hint=did_you_mean(name, FORMATS))
    return FORMATS[name]
