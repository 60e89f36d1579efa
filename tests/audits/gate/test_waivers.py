"""Exceptions: what they accept, when they stop counting, and what holds up the verdict."""

from __future__ import annotations

from datetime import date

import pytest

from audits.gate.waivers import apply, load_waivers, parse_waivers, require_within
from probes.core.errors import UsageError
from probes.core.findings import Finding, Level, Status, WaiverState
from probes.core.records import Estimate
from tests.conftest import model_card

DAY = date(2026, 11, 24)

FILE = """\
apiVersion: audit-waivers/v1
waivers:
  - id: W-1
    checks: ["{checks}"]
    model: {model}
    max_observed: {most}
    reason: the labels of this part are being corrected
    owner: a.lopez@example.org
    approver: {approver}
    created: {created}
    expires: {expires}
"""


def text(**changes: object) -> str:
    settings = {
        "checks": "shift.performance.accuracy_lost[domain=mail]",
        "model": "fake",
        "most": 0.11,
        "approver": "risk@example.org",
        "created": "2026-11-20",
        "expires": "2027-01-15",
        **changes,
    }
    return FILE.format(**settings)


def waivers(*, as_of: date = DAY, **changes: object):
    return parse_waivers(text(**changes), name="waivers.yaml", as_of=as_of)


def finding(
    value: float = 0.09,
    *,
    status: Status = Status.FAIL,
    level: Level = Level.BLOCK,
    check: str = "shift.performance.accuracy_lost[domain=mail]",
    **sides: float,
) -> Finding:
    return Finding(
        check=check,
        probe="shift.performance",
        risk="shift",
        title="t",
        status=status,
        level=level,
        message="m",
        estimate=Estimate(value=value, low=value - 0.01, high=value + 0.01, n=100, clusters=100, method="test"),
        **(sides or {"maximum": 0.05}),
    )


def applied(found: Finding, *, non_waivable=(), as_of: date = DAY, **changes: object):
    marked, (use,) = apply([found], waivers(as_of=as_of, **changes), model=model_card(), non_waivable=non_waivable)
    return marked[0], use


@pytest.mark.parametrize("status", [Status.FAIL, Status.INCONCLUSIVE])
def test_an_accepted_check_shows_what_it_was(status):
    marked, use = applied(finding(status=status))
    assert (marked.status, marked.underlying, marked.waiver) == (Status.WAIVED, status, "W-1")
    assert (use.state, use.findings) == (WaiverState.USED, (marked.check,))


@pytest.mark.parametrize("status", [Status.PASS, Status.NOT_RUN, Status.ERROR, Status.NOT_APPLICABLE])
def test_what_passed_or_was_not_measured_cannot_be_accepted(status):
    marked, use = applied(finding(status=status))
    assert marked.status is status
    assert use.state is WaiverState.UNUSED


def test_it_dies_when_the_number_gets_worse():
    assert applied(finding(0.11))[1].state is WaiverState.USED
    marked, use = applied(finding(0.12))
    assert (marked.status, use.state) == (Status.FAIL, WaiverState.EXCEEDED)
    assert "0.12" in use.note
    assert applied(finding(0.80, minimum=0.86), most=0.79)[1].state is WaiverState.USED
    assert applied(finding(0.78, minimum=0.86), most=0.79)[1].state is WaiverState.EXCEEDED


@pytest.mark.parametrize(
    ("as_of", "state"),
    [
        (date(2026, 11, 19), WaiverState.MISMATCHED),
        (date(2026, 11, 20), WaiverState.USED),
        (date(2027, 1, 15), WaiverState.USED),
        (date(2027, 1, 16), WaiverState.EXPIRED),
    ],
)
def test_it_counts_from_its_first_to_its_last_day(as_of, state):
    assert applied(finding(), as_of=as_of)[1].state is state


def test_it_is_for_one_model():
    card = model_card()
    for scope, fits in (
        (card.fingerprint[:12], True),
        (f"sha256:{card.fingerprint}", True),
        ("fa*", True),
        ('"*"', True),
        ("fak", False),
        ("0123456789abcdef" * 4, False),
    ):
        state = applied(finding(), model=scope)[1].state
        assert (state is WaiverState.USED) == fits, scope
        assert fits or state is WaiverState.MISMATCHED


def test_a_pattern_is_enough_for_checks_that_warn_only():
    pattern = "shift.performance.accuracy_lost[domain=*]"
    assert applied(finding(level=Level.WARN), checks=pattern)[1].state is WaiverState.USED
    marked, use = applied(finding(), checks=pattern)
    assert (marked.status, use.state) == (Status.FAIL, WaiverState.NOT_WAIVABLE)


def test_the_policy_may_allow_no_exception():
    marked, use = applied(finding(), non_waivable=["shift.*"])
    assert (marked.status, use.state) == (Status.FAIL, WaiverState.NOT_WAIVABLE)


def test_one_that_is_half_in_order_accepts_nothing():
    found = [finding(0.09, level=Level.WARN), finding(0.2, level=Level.WARN, check="shift.performance.accuracy_lost")]
    marked, (use,) = apply(found, waivers(checks="shift.performance.*"), model=model_card())
    assert use.state is WaiverState.EXCEEDED
    assert [each.status for each in marked] == [Status.FAIL, Status.FAIL]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"approver": " A.Lopez@example.org"}, "somebody else"),
        ({"expires": "2027-02-19"}, "90 days"),
        ({"expires": "2026-11-19"}, "before it was created"),
        ({"expires": "soon"}, "expires"),
        ({"most": ".nan"}, "max_observed"),
        ({"most": '"0.4"'}, "max_observed"),
        ({"most": "true"}, "max_observed"),
        ({"most": 1.5}, "from -1 to 1"),
        ({"most": -1, "checks": "performance.quality.accuracy[gold=a.b]"}, "from 0 to 1"),
        ({"most": 40, "checks": "robustness.*.flip_rate[severity=2]"}, "from 0 to 1"),
        ({"approver": "a.lopez@ex\u0430mple.org"}, "somebody else"),
        ({"model": '""'}, "model"),
    ],
)
def test_what_is_not_in_order_is_refused_with_its_line(changes, said):
    with pytest.raises(UsageError, match=r"waivers.yaml, line \d+") as caught:
        waivers(**changes)
    assert said in caught.value.message


def test_unknown_keys_and_two_of_one_name_are_refused():
    with pytest.raises(UsageError, match="unknown key"):
        parse_waivers(text() + "    until: never\n", name="w", as_of=DAY)
    twice = text() + text().split("waivers:\n")[1]
    with pytest.raises(UsageError, match=r"w, line 12: two waivers are called 'W-1'.* line 3"):
        parse_waivers(twice, name="w", as_of=DAY)
    entry = text().split("waivers:\n")[1].strip().removeprefix("- ").replace("\n    ", ", ")
    on_a_line = "apiVersion: audit-waivers/v1\nwaivers: [" + f"{{{entry}}}, {{{entry}}}]\n"
    with pytest.raises(UsageError, match="w, line 2: two waivers"):
        parse_waivers(on_a_line, name="w", as_of=DAY)
    with pytest.raises(UsageError, match="audit-waivers/v1"):
        parse_waivers(text().replace("waivers/v1", "waivers/v2"), name="w", as_of=DAY)


@pytest.mark.parametrize("unseen", ["", " ", "\\u200b", "\\u00a0\\u2060", "\\u3164", "\\u0301"])
@pytest.mark.parametrize("key", ["reason", "owner", "approver", "id"])
def test_what_says_nothing_is_refused_with_its_line(key, unseen):
    lines = text().splitlines()
    row = next(n for n, line in enumerate(lines) if line.strip(" -").startswith(f"{key}:"))
    lines[row] = lines[row].split(":")[0] + f': "{unseen}"'
    with pytest.raises(UsageError, match=rf"w, line {row + 1}: waivers.0.{key}"):
        parse_waivers("\n".join(lines), name="w", as_of=DAY)


@pytest.mark.parametrize("inside", ["\\n", "\\e", "\\u2028", "\\u202e"])
def test_an_id_stands_in_one_line(inside):
    with pytest.raises(UsageError, match=r"w, line 3: waivers.0.id: it stands in one line: the character U\+"):
        parse_waivers(text().replace("id: W-1", f'id: "W{inside}1"'), name="w", as_of=DAY)


@pytest.mark.parametrize(
    ("checks", "most"),
    [
        ("performance.quality.accuracy", 0),
        ("robustness.upper_case.flip_rate[severity=2]", 1),
        ("shift.performance.accuracy_lost", -1),
        ("performance.calibration.nll", 7.5),
        ("performance.*", 7.5),
        ("mine.probe.anything", -40),
    ],
)
def test_the_worst_number_is_on_the_scale_of_its_checks(checks, most):
    assert waivers(checks=checks, most=most).entries[0].max_observed == most


def test_an_empty_file_names_the_page_with_an_example():
    with pytest.raises(UsageError) as caught:
        parse_waivers("", name="w", as_of=DAY)
    assert caught.value.hint == "see docs/gate.md for an example file"


def test_the_policy_may_ask_for_less_time(tmp_path):
    path = tmp_path / "waivers.yaml"
    path.write_text(text(), "utf-8")
    read = load_waivers(path, as_of=DAY)
    assert read.digest == waivers().digest
    require_within(read, days=56)
    with pytest.raises(UsageError, match="56 days; the policy allows 55"):
        require_within(read, days=55)
    with pytest.raises(UsageError, match="cannot read"):
        load_waivers(tmp_path / "none.yaml", as_of=DAY)
