"""What a GitHub Actions job is told: annotations at the lines of the policy, the step summary, the step's outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from probes.core.errors import OutputError
from probes.core.findings import Finding, Status
from reports.formats.outcome import blocks, described, outcome, policy_file, verdict_name
from reports.formats.plain import line
from reports.formats.summary import MOST_SUMMARY, summary
from reports.load import Loaded
from reports.numbers import plural
from reports.redacted import without_personal

MOST = 9
"""Annotations of findings; GitHub shows ten of a kind for each step, and the verdict is one."""
_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _MESSAGE | str.maketrans({":": "%3A", ",": "%2C"})
_STEP = 1_000_000
"""Bytes of the summary of one step, a little under GitHub's 1 MiB."""
_LEAST = 60_000
"""With less room only the verdict is appended: GitHub drops the whole of a summary that is too long."""


def annotation_file(loaded: Loaded) -> bytes:
    """The annotations as lines for the log of a job."""
    return "".join(f"{told}\n" for told in annotation_lines(loaded)).encode()


def annotation_lines(loaded: Loaded) -> list[str]:
    """Workflow commands: at most nine findings, the most important first, then the verdict and how many more."""
    result = outcome(loaded)
    shown = result.open[:MOST]
    lines = [_command(_kind(item.finding), loaded, item.finding, title=item.title) for item in shown]
    rest = len(result.open) - len(shown)
    more = f" {plural(rest, 'more finding')} in the step summary." if rest else ""
    kind = "notice" if result.exit_code == 0 else "error"
    told = f"{result.sentence} Checks: {result.totals}.{more}"
    return [*lines, f"::{kind} title={_property(f'Audit: {result.word}')}::{told.translate(_MESSAGE)}"]


def _kind(finding: Finding) -> str:
    return "error" if blocks(finding) or finding.status is Status.ERROR else "warning"


def _command(kind: str, loaded: Loaded, finding: Finding, *, title: str) -> str:
    place = f"file={_property(policy_file(loaded))},line={finding.policy_line or 1}"
    return f"::{kind} {place},title={_property(title)}::{described(finding).translate(_MESSAGE)}"


def _property(text: str) -> str:
    return line(text, 200).translate(_PROPERTY)


def publish_to_github(loaded: Loaded, env: Mapping[str, str], *, bundle_digest: str = "") -> list[str]:
    """Tell a GitHub Actions job the result; does nothing elsewhere.

    Appends the summary to the file that `GITHUB_STEP_SUMMARY` names, and `verdict`, `exit_code` and `bundle_digest` to
    that of `GITHUB_OUTPUT`.

    Args:
        env: the environment of the process.
        bundle_digest: SHA-256 of bundle.json as 64 hex digits, or "" where there is none.

    Returns:
        The annotations to be printed, one a line; on standard error they leave the output of `--json` whole.

    Raises:
        OutputError: when a file cannot be written.
        ValueError: when `bundle_digest` is no digest.
    """
    if not re.fullmatch(r"([0-9a-f]{64})?", bundle_digest):
        raise ValueError(f"not a SHA-256 digest: {bundle_digest!r}")
    if not env.get("GITHUB_STEP_SUMMARY"):
        return []
    loaded = without_personal(loaded)
    _append_summary(Path(env["GITHUB_STEP_SUMMARY"]), loaded)
    if env.get("GITHUB_OUTPUT"):
        code = outcome(loaded).exit_code
        told = (
            f"verdict={verdict_name(code)}\nexit_code={'' if code is None else code}\nbundle_digest={bundle_digest}\n"
        )
        _append(Path(env["GITHUB_OUTPUT"]), told.encode())
    return annotation_lines(loaded)


def _append_summary(path: Path, loaded: Loaded) -> None:
    """As much of the summary as the step has room for: it may audit several models."""
    used = path.stat().st_size if path.exists() else 0
    room = min(MOST_SUMMARY, _STEP - used)
    short = f"Audit: {outcome(loaded).word}. This step has no room for more; see the report.\n".encode()
    _append(path, b"\n" + (summary(loaded, most=room) if room >= _LEAST else short))


def _append(path: Path, content: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            hint="GITHUB_STEP_SUMMARY and GITHUB_OUTPUT must name files that can be written",
        ) from error
