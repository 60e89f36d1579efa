"""A policy file to start from: a preset extended, with everything one may want to change as a comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from audits.policy.checks import Check
from audits.policy.policy import parse_policy
from audits.policy.presets import PRESETS, preset_path
from audits.policy.text import written_check
from probes.core.errors import OutputError, UsageError, did_you_mean
from probes.core.findings import Level

_HEAD = """\
# A policy: what must hold for this model to be released.
#
#   audit policy lint {name}           is it in order
#   audit policy plan {name} [RUN]     how many items its checks need, and what those of a run can show
#   audit run --model M --data D --policy {name}
#
# Every check compares a one-sided bound, not the number itself, with its limit: `prove_good` passes only where the data
# rule out a violation, `prove_bad` fails only where they show one. Where several checks match a measurement, the last
# one decides, alone and as a whole: copy a check from below, change it, and it replaces that of the preset.

apiVersion: audit-policy/v1
id: my-policy
version: "1"
# title: Release of the ticket router
# owner: ml-platform@example.org         # who keeps it
# approved_by: model-risk@example.org    # somebody else
# approved_on: 2026-01-31
# expires: 2026-07-31                    # the last day on which it counts
# rationale_doc: docs/policy.md          # where the reasons are written down

# {preset}: {purpose}.
extends: {preset}

# non_waivable: ["performance.quality.*"]    # no exception may be granted for these
# max_waiver_days: 30                        # how long an exception may last

# {told}
# Give your own limits and your own reasons: those of a preset know nothing of your task.

# checks:
"""


def starting_file(preset: str, *, name: str) -> str:
    """The text; `name` is what the file will be called."""
    blocking = _blocking(preset)
    told = "The checks of the preset that block:" if blocking else "The preset blocks nothing. An example of a check:"
    head = _HEAD.format(name=name, preset=preset, purpose=PRESETS[preset], told=told)
    return head + "\n".join(line for check in blocking or [_example()] for line in _commented(check)) + "\n"


def write_start(path: Path, *, preset: str, replace: bool = False) -> Path:
    """Write a starting file.

    Raises:
        UsageError: when there is no such preset, or the file exists already and may not be replaced.
        OutputError: when it cannot be written.
    """
    if preset not in PRESETS:
        raise UsageError(f"no preset is called {preset!r}", hint=did_you_mean(preset, PRESETS))
    try:
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(starting_file(preset, name=path.name))
    except FileExistsError:
        raise UsageError(f"{path} exists already", hint="choose another name with --out, or pass --force") from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", hint="choose another place with --out") from None
    return path


def _blocking(preset: str) -> list[Check]:
    policy = parse_policy(preset_path(preset).read_text(encoding="utf-8"), name=preset)
    return [check for check in policy.effective if check.level is Level.BLOCK]


def _example() -> Check:
    return Check(
        check="performance.quality.accuracy",
        min=0.9,
        level=Level.BLOCK,
        required=True,
        rationale="below 90 % the manual corrections cost more than the model saves",
        source="product memo",
    )


def _commented(check: Check) -> Iterator[str]:
    yield from (f"# {line}".rstrip() for line in written_check(check))
