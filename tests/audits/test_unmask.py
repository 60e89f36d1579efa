"""The switch that shows offensive words: beside the request, never part of it."""

from __future__ import annotations

import importlib

from click.testing import CliRunner

from audits.commands.report import command as report
from audits.config import Config
from reports import render
from tests.reports.test_masking import offensive_run

run = importlib.import_module("audits.commands.run").command


def test_report_has_the_switch(tmp_path):
    folder = offensive_run(tmp_path / "run")
    for flags, unmask in (((), False), (("--unmask",), True)):
        result = CliRunner().invoke(report, [str(folder.path), *flags])
        assert result.exit_code == 0, result.output
        assert folder.report_path.read_bytes() == render(folder, unmask=unmask)


def test_run_has_it_among_all_options_and_outside_the_identity_of_the_run():
    assert "--unmask" not in CliRunner().invoke(run, ["--help"]).output
    assert "--unmask" in CliRunner().invoke(run, ["--help-all"]).output
    assert "unmask" not in Config.model_fields
