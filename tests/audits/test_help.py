"""Nothing that a verb can do is without a way to find out."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from audits.cli import COMMANDS, cli


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_verb_with_hidden_options_shows_them_when_asked(verb):
    command = cli.get_command(click.Context(cli), verb)
    hidden = [each.opts[0] for each in command.params if isinstance(each, click.Option) and each.hidden]
    try:
        if hidden:
            shown = CliRunner().invoke(cli, [verb, "--help-all"])
            assert shown.exit_code == 0, shown.output
            assert [name for name in hidden if name not in shown.output] == []
    finally:  # `--help-all` leaves them shown
        for each in command.params:
            if isinstance(each, click.Option) and each.opts[0] in hidden:
                each.hidden = True
