"""Review and sign-off: what a copy of the report says about who decided what, and about which evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probes.core.attestation import Decision, Role, Signed, Signoff, SignoffRecord, SignoffState
from reports.limits import Limits
from reports.load import load
from reports.page import page
from reports.review import (
    ACCEPTED,
    AWAITING,
    CONDITIONAL,
    DRAFT,
    REJECTED,
    REVIEWED,
    STALE,
    review,
    review_status,
)
from tests.reports import synthetic_run as synthetic

BUNDLE = "d" * 64


def signoff(decision=Decision.ACCEPT, *, who="Dana", role=Role.APPROVER, state=SignoffState.VALID, **changes):
    record = {"conditions": (), "reason": "", "dissent": "", "preparer": "M. Example", "verdict": 0} | changes
    return Signoff(
        file="signoff-1.json",
        record=SignoffRecord(reviewer=who, role=role, decision=decision, date="2026-11-22", **record),
        bundle=BUNDLE if state is SignoffState.VALID else "e" * 64,
        state=state,
        signed=Signed.NOT_VERIFIED,
        keys=("sha256:k",),
    )


@pytest.fixture
def judged(tmp_path):
    return load(synthetic.passing(tmp_path))


def copy(loaded, *signoffs):
    return replace(loaded, signoffs=signoffs, bundle=BUNDLE)


A, C, R = Decision.ACCEPT, Decision.ACCEPT_WITH_CONDITIONS, Decision.REJECT


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], AWAITING),
        ([signoff(A)], ACCEPTED),
        ([signoff(C)], CONDITIONAL),
        ([signoff(R)], REJECTED),
        ([signoff(A, role=Role.REVIEWER)], REVIEWED),
        ([signoff(A), signoff(R, who="Eve", role=Role.REVIEWER)], REJECTED),
        ([signoff(R), signoff(A)], ACCEPTED),
        ([signoff(A), signoff(R)], REJECTED),
        ([signoff(C, who="Eve", role=Role.REVIEWER), signoff(A)], CONDITIONAL),
        ([signoff(A, state=SignoffState.STALE)], STALE),
        ([signoff(A), signoff(R, state=SignoffState.STALE)], ACCEPTED),
    ],
)
def test_the_last_word_of_each_person_about_this_bundle_counts(judged, given, expected):
    assert review_status(copy(judged, *given)) == expected


def test_a_run_without_a_verdict_is_a_draft_whatever_was_signed(tmp_path):
    loaded = load(synthetic.unjudged(tmp_path))
    assert review_status(copy(loaded, signoff())) == DRAFT


def test_the_copy_in_the_bundle_says_why_it_names_no_bundle(judged):
    shown = review(judged)
    assert shown.signed == ()
    assert "cannot name the digest of the bundle" in shown.facts[0].value
    assert "bundle.json" in shown.covers


def test_a_sign_off_is_told_with_all_that_was_put_on_record(judged):
    given = signoff(C, conditions=("watch phone notes", "review in May"), reason="low volume", dissent="Eve disagrees")
    shown = review(copy(judged, given))
    assert shown.facts[0].value == BUNDLE
    (one,) = shown.signed
    assert one.title == "Approver: Dana"
    assert one.badge.word == "Accept with conditions"
    facts = {fact.name: fact.value for fact in one.facts}
    assert facts["Conditions"] == "watch phone notes; review in May"
    assert facts["Reason"] == "low volume"
    assert facts["Dissent"] == "Eve disagrees"
    assert facts["Date"] == "2026-11-22"
    assert facts["Prepared by"] == "M. Example"
    assert facts["Verdict they saw"] == "Gate passed"
    assert facts["About"] == f"this bundle, {BUNDLE}"
    assert facts["Signature"] == "Present, not verified for this copy. Keys: sha256:k"


def test_another_verdict_and_another_bundle_are_told(judged):
    (one,) = review(copy(judged, signoff(verdict=1, state=SignoffState.STALE))).signed
    facts = {fact.name: fact.value for fact in one.facts}
    assert facts["Verdict they saw"] == "Blocked, which is not the verdict of this report"
    assert "does not cover this run as it is" in facts["About"]


def test_the_first_page_and_the_margin_of_each_page_carry_the_state(judged):
    identity = page(copy(judged, signoff(R)), limits=Limits()).identity
    assert identity.review == REJECTED
    assert identity.in_print.endswith("Gate passed - Signed off: rejected")
