"""How a probe measured can be read to its end, whatever else is shortened; a text without end is cut all the same."""

from __future__ import annotations

import re

import pytest

from probes.core.manifest import Methodology
from probes.core.run_folder import RunFolder, write_atomic
from reports.limits import LADDER
from reports.load import load
from reports.render import single
from tests.reports import synthetic_run as synthetic
from tests.reports.test_render import Page

RECIPES = {f"recipe{k}": "a paper. " + "What is otherwise here, and why. " * 20 + f"end of {k}" for k in range(14)}
PROBE = "robustness.adversarial"


def run_with(folder, **changes) -> RunFolder:
    """A run of one probe whose methodology has these texts."""
    run = synthetic.write(folder, [synthetic.Step(PROBE, "Attacks", [])], [])
    told: Methodology = synthetic.methodology("Attacks").model_copy(update=changes)
    frozen = run.manifest().model_copy(update={"methodology": {PROBE: told}})
    write_atomic(run.manifest_path, frozen.model_dump_json().encode())
    return run


@pytest.mark.parametrize("limits", LADDER, ids=range(len(LADDER)))
def test_method_and_its_parts_are_printed_to_their_end(tmp_path, limits):
    method = "It asks and asks. " * 200 + "Then it stops."
    run = run_with(tmp_path, method=method, parts=RECIPES)
    html = single(load(run), limits, True)["report.html"].decode("utf-8")
    chapter = Page(re.search(r'<article class="chapter".*?</article>', html, re.DOTALL)[0]).words
    assert method.strip() in chapter
    assert "more characters" not in chapter
    for name, told in RECIPES.items():
        assert f"{name} A{told[1:]}" in chapter


def test_a_method_without_end_is_cut(tmp_path):
    html = single(load(run_with(tmp_path, method="x" * 1_000_000)), LADDER[-1], True)["report.html"]
    assert len(html) < 500_000
    assert f"{1_000_000 - LADDER[-1].whole:,} more characters" in html.decode("utf-8")


def test_what_is_typed_stands_out_and_nothing_else_of_a_text_counts(tmp_path):
    told = {
        "method": "It asks `budget` times, <b>then</b> stops.",
        "limits": "Beyond `<i>` it ends.",
        "measures": "A ` b.",
    }
    html = single(load(run_with(tmp_path, **told)), LADDER[0], True)["report.html"].decode("utf-8")
    assert "It asks <code>budget</code> times, &lt;b&gt;then&lt;/b&gt; stops." in html
    assert "Beyond <code>&lt;i&gt;</code> it ends." in html
    assert "<dd>A ` b.</dd>" in html


def test_a_long_text_between_backticks_is_printed_to_its_end(tmp_path):
    method = "It asks `budget` times. " * 150 + "Then it stops."
    html = single(load(run_with(tmp_path, method=method)), LADDER[0], True)["report.html"].decode("utf-8")
    chapter = Page(re.search(r'<article class="chapter".*?</article>', html, re.DOTALL)[0]).words
    assert method.replace("`", "") in chapter
