"""Review and sign-off: what people decided about the evidence, and what such a decision covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probes.core.attestation import Decision, Role, Signed, Signoff, SignoffState
from reports.load import Loaded
from reports.numbers import capital
from reports.views import Badge, Fact, Review, SignedOff
from reports.wording import VERDICTS

DRAFT = Badge("Draft", "none")
AWAITING = Badge("Awaiting sign-off", "open")
REVIEWED = Badge("Reviewed, not yet approved", "open")
ACCEPTED = Badge("Signed off: accepted", "pass")
CONDITIONAL = Badge("Signed off: accepted with conditions", "waived")
REJECTED = Badge("Signed off: rejected", "fail")
STALE = Badge("Sign-off is of an earlier state", "error")

_SENTENCES: Mapping[Badge, str] = {
    DRAFT: "Nothing was judged yet, so there is nothing to sign.",
    AWAITING: "Nobody has signed off this run in this copy of the report.",
    REVIEWED: "Somebody has reviewed the run; nobody has approved it.",
    ACCEPTED: "An approver has accepted the run.",
    CONDITIONAL: "An approver has accepted the run under the conditions below.",
    REJECTED: "The run was rejected. A later decision of the same person in the same role would replace it.",
    STALE: "All sign-offs are about an earlier state of the run folder. They say nothing about this one.",
}
_COVERS = (
    "A sign-off is a person's decision about the evidence in one bundle: the results, policy, waivers and report that "
    "bundle.json lists by their SHA-256. It is bound to the digest of that file, so a run that is judged, rendered or "
    "changed afterwards is no longer covered. It says nothing about the system around the model, about data that were "
    "not tested, or about another version of the model. Who prepared an audit cannot approve it."
)
_SEALED = (
    "This copy is one of the files in the bundle, so it cannot name the digest of the bundle or hold sign-offs about "
    "it. The command audit verify prints both."
)
_DECISIONS: Mapping[Decision, Badge] = {
    Decision.ACCEPT: Badge("Accept", "pass"),
    Decision.ACCEPT_WITH_CONDITIONS: Badge("Accept with conditions", "waived"),
    Decision.REJECT: Badge("Reject", "fail"),
}
_SIGNATURES: Mapping[Signed, str] = {
    Signed.UNSIGNED: "None: the entry shows what was typed, not who typed it",
    Signed.NOT_VERIFIED: "Present, not verified for this copy",
    Signed.VERIFIED: "Verified with a key that the maker of this copy trusts",
}
_HOW = 'audit signoff RUN --reviewer NAME --role approver --decision accept-with-conditions --condition "TEXT"'
_ON_PAPER = ("Preparer", "Reviewer", "Approver")


def review_status(loaded: Loaded) -> Badge:
    """Whether a person has decided about the run as it is; the last decision of each person in each role counts."""
    if loaded.verdict is None:
        return DRAFT
    valid = [signoff for signoff in loaded.signoffs if signoff.state is SignoffState.VALID]
    if not valid:
        return STALE if loaded.signoffs else AWAITING
    last = {(signoff.record.reviewer, signoff.record.role): signoff.record for signoff in valid}
    decisions = [record.decision for record in last.values()]
    approved = [record.decision for record in last.values() if record.role is Role.APPROVER]
    if Decision.REJECT in decisions:
        return REJECTED
    if not approved:
        return REVIEWED
    return CONDITIONAL if Decision.ACCEPT_WITH_CONDITIONS in decisions else ACCEPTED


def review(loaded: Loaded) -> Review:
    """The chapter on review and sign-off."""
    badge = review_status(loaded)
    return Review(
        badge=badge,
        sentence=_SENTENCES[badge],
        covers=_COVERS,
        how=_HOW,
        facts=(Fact("Bundle this copy is about (SHA-256 of bundle.json)", loaded.bundle, code=True),)
        if loaded.bundle
        else (Fact("Bundle", _SEALED),),
        signed=tuple(_signed(signoff, loaded) for signoff in loaded.signoffs),
        roles=_ON_PAPER,
    )


def _signed(signoff: Signoff, loaded: Loaded) -> SignedOff:
    record = signoff.record
    return SignedOff(
        title=f"{capital(record.role.value)}: {record.reviewer}",
        badge=_DECISIONS[record.decision],
        facts=tuple(fact for fact in _facts(signoff, loaded) if fact.value),
    )


def _facts(signoff: Signoff, loaded: Loaded) -> Iterator[Fact]:
    record = signoff.record
    yield Fact("Date", record.date)
    yield Fact("Conditions", "; ".join(record.conditions))
    yield Fact("Reason", record.reason)
    yield Fact("Dissent", record.dissent)
    yield Fact("Prepared by", record.preparer or "not recorded")
    yield Fact("Verdict they saw", _seen(record.verdict, loaded))
    yield Fact("About", _about(signoff))
    yield Fact(
        "Signature", _SIGNATURES[signoff.signed] + (f". Keys: {', '.join(signoff.keys)}" if signoff.keys else "")
    )
    yield Fact("File", f"attest/{signoff.file}", code=True)


def _seen(exit_code: int, loaded: Loaded) -> str:
    word = VERDICTS[exit_code].word if exit_code in VERDICTS else f"Exit code {exit_code}"
    now = loaded.verdict.exit_code if loaded.verdict else None
    return word if now == exit_code else f"{word}, which is not the verdict of this report"


def _about(signoff: Signoff) -> str:
    if signoff.state is SignoffState.VALID:
        return f"this bundle, {signoff.bundle}"
    return f"another bundle, {signoff.bundle or 'which it does not name'}: it does not cover this run as it is"
