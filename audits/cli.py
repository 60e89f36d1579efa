"""`audit`: the command line. Nothing heavy is imported until a verb needs it."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from probes.core.errors import AuditError, DefectError
from probes.core.findings import ExitCode

if TYPE_CHECKING:
    from audits.console import Terminal

COMMANDS = (
    "run", "plan", "probes", "show",
    "gate", "report", "compare", "index", "policy",
    "verify", "sign", "signoff", "export",
    "demo", "doctor", "textattack",
)  # fmt: skip


class Verbs(click.Group):
    """Loads a verb's module when it is called, and suggests the closest one for a typing error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"audits.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from probes.core.errors import did_you_mean

            raise click.UsageError(f"No command {args[0]!r}: {did_you_mean(args[0], COMMANDS)}", ctx) from None


def _version() -> str:
    try:
        return version("responsible-audit")
    except PackageNotFoundError:
        return "(not installed)"


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(_version(), prog_name="audit")
def cli() -> None:
    """Decide on evidence whether a fine-tuned language model may ship.

    \b
    audit run --model demo                       try it: a small sentiment model, built here
    audit run --model ./my-model --data test.csv audit yours
    """


def main(args: list[str] | None = None) -> None:
    """Entry point: runs a verb and exits with the code of the design.

    0 passed, 1 a blocking check failed, 2 usage, 3 inconclusive, 4 incomplete, 5 integrity, 130 interrupted.
    """
    _refuse_shadowed_packages()
    for name in ("SIGTERM", "SIGHUP"):  # a closed terminal and a polite kill end as Ctrl-C does
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        code = cli.main(args=args, standalone_mode=False)
        sys.exit(int(code or 0))
    except AuditError as error:
        _terminal().error(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        _terminal().errors.print("Interrupted. Finished steps are kept: the same command resumes.")
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # by itself Python ends with 1, which would blame the model
        if os.environ.get("AUDIT_TRACEBACK"):
            traceback.print_exc()
        fault = DefectError.of(error)
        _terminal().error(fault)
        sys.exit(fault.exit_code)


def _terminal() -> Terminal:
    from audits.console import Terminal

    return Terminal()


def _interrupt(_signal: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt


def _refuse_shadowed_packages() -> None:
    """`probes` and `reports` are general names: make sure that ours are the ones imported."""
    import probes
    import reports

    home = Path(__file__).resolve().parent.parent
    for module in (probes, reports):
        found = Path(module.__file__ or "").resolve().parent.parent
        if found != home:
            raise SystemExit(
                f"Error: another installed package provides {module.__name__!r} ({found}).\n"
                "Hint: install responsible-audit in an environment of its own."
            )
