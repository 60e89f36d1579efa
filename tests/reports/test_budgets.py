"""As much as a run can hold: the report stays small in both layouts, says what is missing, and comes out the same."""

from __future__ import annotations

import re
import time

import pytest

from probes.core.findings import Status
from probes.core.records import Accounting, Better, Measurement, Unit
from probes.core.run_folder import RunFolder
from reports import render
from reports.limits import MOST_BYTES
from reports.pdf import MOST_PAGE, page_on_paper
from reports.render import render_dir
from tests.reports import synthetic_run as synthetic
from tests.reports.test_render import Page

GROUPS = tuple(f"group {name}" for name in "abcdefghijklmnop")


def groups_step(attribute: str) -> synthetic.Step:
    """Rates of 16 groups and of every two of them, as a fairness probe publishes them."""
    rates = [
        Measurement(name=name, title="share of the positive answer", estimate=synthetic.share(100 + i, 300),
                    better=Better.CONTEXT, unit=Unit.PROPORTION, slice={"attribute": attribute, "group": group})
        for name in ("positive_rate", "true_positive_rate", "false_positive_rate")
        for i, group in enumerate(GROUPS)
    ]  # fmt: skip
    crossed = [
        Measurement(name="accuracy", title="accuracy", estimate=synthetic.share(200, 300), better=Better.HIGHER,
                    unit=Unit.PROPORTION, slice={"attribute": f"{attribute} and region", "group": f"{one}, {two}"})
        for one in GROUPS
        for two in GROUPS
    ]  # fmt: skip
    return synthetic.Step(f"bias.groups_{attribute}", f"Groups by {attribute}", [
        *rates, *crossed, Accounting(eligible=872, scored=872)
    ])  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    """10,000 findings over 30 perturbations and three attributes of 16 groups each."""
    steps = [*synthetic.perturbation_steps(), *(groups_step(name) for name in ("gender", "age", "origin"))]
    findings = [
        synthetic.check(
            steps[i % len(steps)].probe, f"share of answers that changed (part {i})", maximum=0.1,
            status=Status.FAIL if i % 3 else Status.INCONCLUSIVE, estimate=synthetic.share(300 + i % 90, 872),
            part={"part": str(i), "group": GROUPS[i % 16]},
            message=f"Part {i}: " + "the answer changed more often than the policy accepts. " * 3,
        )
        for i in range(10_000)
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("stress") / "run"
    return synthetic.write(folder, steps, findings, exit_code=1, sentence="Blocked: 6,666 checks failed.")


@pytest.fixture(scope="module")
def html(run) -> bytes:
    started = time.process_time()
    content = render(run)
    spent = time.process_time() - started
    assert spent < 60, f"{spent:.1f} s of computing for one report"
    return content


def test_ten_thousand_findings_and_sixteen_groups_fit_and_the_reader_is_told(html):
    assert len(html) <= MOST_BYTES < 5_000_000
    words = Page(html.decode("utf-8")).words
    assert re.search(r"Shortened: [\d,]+ of 10,000 findings are shown here", words)
    assert re.search(r"[\d,]+ of [\d,]+ checks are shown here", words)
    assert "6,666 Fail" in words


def test_it_comes_out_the_same_again(run, html):
    assert render(run) == html


def test_the_folder_fits_too(run, html):
    files = render_dir(run)
    assert abs(sum(map(len, files.values())) - len(html)) < 1_000


def test_what_goes_on_paper_is_shorter_still(run):
    page = page_on_paper(run)
    assert len(page) <= MOST_PAGE
    assert "Shortened" in Page(page.decode("utf-8")).words
