"""A judged run as an in-toto statement that generic verifiers understand.

https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audits.evidence.bundle import Bundle
from audits.evidence.signing import sign_statement
from probes.core.attestation import (
    BUNDLE,
    TEST_RESULT,
    Statement,
    Subject,
    bundle_digest,
    canonical,
    read_attestation,
    read_canonical,
)
from probes.core.findings import ExitCode, Finding, Level, Status, Verdict
from probes.core.manifest import Manifest
from probes.core.run_folder import RunFolder, write_atomic

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

_CONFIGURATION = ("manifest.json", "policy.yaml", "waivers.yaml")


def sign_result(run: RunFolder, key: Ed25519PrivateKey) -> Path:
    """Write `attest/test-result.dsse.json`; signatures of the same statement by other keys are kept.

    The run should have been verified: a signature makes nothing right that was wrong before.

    Raises:
        UsageError: when the run was not judged or not sealed.
        IntegrityError: when something in it is damaged.
        OutputError: when it cannot be written.
    """
    path = run.attestations / TEST_RESULT
    beside = read_attestation(path)[1] if path.exists() else None
    write_atomic(path, canonical(sign_statement(result_of(run), key, beside=beside)))
    return path


def result_of(run: RunFolder) -> Statement:
    """The verdict about the model, bound to the bundle that holds the evidence; raises likewise."""
    digest = bundle_digest(run)
    bundle, manifest, verdict = read_canonical(run.bundle_path, Bundle), run.manifest(), run.verdict()
    return Statement(
        subject=subjects(bundle, digest=digest),
        predicate_type=TEST_RESULT_TYPE,
        predicate=_predicate(manifest, verdict, bundle),
    )


def subjects(bundle: Bundle, *, digest: str) -> tuple[Subject, ...]:
    """What a statement about a run is about: the model by its fingerprint and the bundle by its digest."""
    return (
        # With a word before it, so that no model can be called like the bundle.
        Subject(name=f"model {bundle.model.name}", digest={"sha256": bundle.model.fingerprint}),
        Subject(name=BUNDLE, digest={"sha256": digest}),
    )


def _predicate(manifest: Manifest, verdict: Verdict, bundle: Bundle) -> dict[str, object]:
    by_result: dict[str, list[str]] = {"PASSED": [], "WARNED": [], "FAILED": []}
    for finding in verdict.findings:
        result = _result(finding)
        if result:
            by_result[result].append(_name(finding))
    return {
        "result": _overall(verdict, by_result),
        "configuration": _configuration(manifest, bundle),
        "passedTests": by_result["PASSED"],
        "warnedTests": by_result["WARNED"],
        "failedTests": by_result["FAILED"],
    }


def _overall(verdict: Verdict, by_result: Mapping[str, Sequence[str]]) -> str:
    if verdict.exit_code != ExitCode.PASSED or by_result["FAILED"]:
        return "FAILED"
    return "WARNED" if by_result["WARNED"] else "PASSED"


def _result(finding: Finding) -> str:
    """The list that a check belongs in; "" for what does not apply, is switched off or only informs.

    What blocks and was not shown to pass has failed, whether it was measured or not.
    """
    if finding.status is Status.ERROR:
        return "FAILED"
    if finding.status is Status.NOT_APPLICABLE or finding.level is Level.OFF:
        return ""
    if finding.status is Status.PASS:
        return "PASSED"
    if finding.status is Status.WAIVED:
        return "WARNED"
    if finding.level is Level.INFO:
        return ""
    return "FAILED" if finding.level is Level.BLOCK and finding.decisive else "WARNED"


def _name(finding: Finding) -> str:
    """The name of the check, and after a "#" the waiver under which it was accepted."""
    return f"{finding.check}#{finding.waiver}" if finding.waiver else finding.check


def _configuration(manifest: Manifest, bundle: Bundle) -> list[dict[str, object]]:
    """What the run was made and judged by, as files of the bundle; the policy's digest is also that of its content."""
    verdict = bundle.verdict
    content = verdict.policy_digest if verdict else manifest.policy_digest
    found = []
    for file in bundle.files:
        if file.path in _CONFIGURATION:
            descriptor: dict[str, object] = {"name": file.path, "digest": {"sha256": file.sha256}}
            if file.role == "policy":
                descriptor["annotations"] = {"contentSha256": content}
            found.append(descriptor)
    return found
