"""What is said about a run besides its results: earlier attempts at the same model, sign-offs and signatures.

A statement is an in-toto Statement v1 (https://github.com/in-toto/attestation) whose subject is the bundle, by the
SHA-256 of `bundle.json`; a signed one stands in a DSSE envelope (https://github.com/secure-systems-lab/dsse). Every
file is canonical JSON (RFC 8785), so that one statement has one spelling and nothing in it goes unread.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from probes.core.errors import IntegrityError, UsageError
from probes.core.records import Frozen
from probes.core.run_folder import RunFolder

BUNDLE = "bundle.json"
ATTEMPTS = "attempts.json"
TEST_RESULT = "test-result.dsse.json"

STATEMENT: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
STATEMENT_TYPE = "application/vnd.in-toto+json"
SIGNOFF = "urn:responsible-audit:attestation:signoff:v1"

Schema = TypeVar("Schema", bound=BaseModel)


class Outcome(Frozen):
    """What came out when a run was judged; `time` is UTC, ISO 8601."""

    time: str
    exit_code: int


class Attempt(Frozen):
    """A run of a model under one policy, and what came of it.

    Attributes:
        created: when the run was frozen.
        data: fingerprint of its data.
        outcomes: one for each time the judgement changed; empty where it was never judged.
    """

    run_id: str
    created: str
    data: str
    policy_id: str
    policy_digest: str
    outcomes: tuple[Outcome, ...] = ()


class Attempts(Frozen):
    """`attempts.json`: how often this model was audited up to this result, and what came out.

    Attributes:
        model: its fingerprint.
        policy_digest: the policy that this run was judged by last, or frozen with.
        attempts: of the same model under any policy, in the order in which they began; this run is among them.
    """

    kind: Literal["attempts"] = "attempts"
    schema_version: int
    run_id: str
    created: str
    model: str
    policy_digest: str
    attempts: tuple[Attempt, ...] = ()

    @property
    def same_policy(self) -> tuple[Attempt, ...]:
        """Other runs of this model under this policy, begun or judged before this result."""
        return tuple(
            attempt
            for attempt in self.attempts
            if attempt.policy_digest == self.policy_digest
            and (attempt.run_id, attempt.created) != (self.run_id, self.created)
        )

    @property
    def other_policies(self) -> int:
        """How many other policies this model was audited under."""
        return len({attempt.policy_digest for attempt in self.attempts} - {self.policy_digest})


class Subject(Frozen):
    """What a statement is about."""

    name: str
    digest: Mapping[str, str]


class Statement(Frozen):
    """in-toto Statement v1."""

    model_config = ConfigDict(populate_by_name=True)

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: str = Field(alias="predicateType")
    predicate: Mapping[str, Any]

    @property
    def bundle(self) -> str:
        """Digest of the bundle it is about; empty where it names none."""
        return next((each.digest.get("sha256", "") for each in self.subject if each.name == BUNDLE), "")


class Signature(Frozen):
    """Attributes: keyid names the key, as `sha256:` and its digest; sig is base64."""

    keyid: str
    sig: str


class Envelope(Frozen):
    """DSSE envelope; `payload` is base64."""

    payload: str
    payload_type: Literal["application/vnd.in-toto+json"] = Field(alias="payloadType")
    signatures: tuple[Signature, ...] = Field(min_length=1)

    model_config = ConfigDict(populate_by_name=True)

    @property
    def content(self) -> bytes:
        """What is signed.

        Raises:
            ValueError: when it is no base64.
        """
        return base64.b64decode(self.payload, validate=True)


class Role(StrEnum):
    """In which capacity somebody signs off."""

    REVIEWER = "reviewer"
    APPROVER = "approver"


class Decision(StrEnum):
    """What a person decided about the model."""

    ACCEPT = "accept"
    ACCEPT_WITH_CONDITIONS = "accept-with-conditions"
    REJECT = "reject"


class SignoffRecord(Frozen):
    """What a person put on record about a run: the predicate of a sign-off.

    Attributes:
        verdict: exit code of the gate that they saw.
        reason: why, in their words; required where the gate did not pass and they accept.
        dissent: an opinion that differs from the decision.
        preparer: who ran the audit; never the approver.
        date: ISO date, as given.
    """

    reviewer: str
    role: Role
    decision: Decision
    conditions: tuple[str, ...] = ()
    reason: str = ""
    dissent: str = ""
    preparer: str = ""
    date: str
    verdict: int


class SignoffState(StrEnum):
    """Does a sign-off speak of the run as it is."""

    VALID = "valid"
    STALE = "stale"
    """The run was judged or rendered again since: its bundle is another one."""


class Signed(StrEnum):
    """What is known of a signature."""

    UNSIGNED = "unsigned"
    NOT_VERIFIED = "signed, not verified"
    VERIFIED = "signed and verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signoff:
    """A sign-off as read from the run folder.

    Attributes:
        file: name below `attest/`.
        bundle: digest that it is about.
        keys: ids of the keys that signed it.
    """

    file: str
    record: SignoffRecord
    bundle: str
    state: SignoffState
    signed: Signed
    keys: tuple[str, ...] = ()


def canonical(model: BaseModel) -> bytes:
    """The one spelling of a model in JSON (RFC 8785), without a line end."""
    return rfc8785.dumps(model.model_dump(mode="json", by_alias=True))


def read_canonical(path: Path, schema: type[Schema]) -> Schema:
    """A file in its one spelling.

    Raises:
        IntegrityError: naming the file, when it is no such thing or is spelt in another way.
        FileNotFoundError: when there is none.
    """
    content = path.read_bytes()
    try:
        model = schema.model_validate_json(content)
        same = canonical(model) == content
    except (ValidationError, rfc8785.CanonicalizationError):
        same = False
    if not same:
        raise _changed(path)
    return model


def bundle_digest(run: RunFolder) -> str:
    """SHA-256 of `bundle.json`.

    Raises:
        UsageError: when the run was never sealed.
    """
    try:
        return hashlib.sha256(run.bundle_path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise UsageError(
            f"not sealed: {run.path} has no {BUNDLE}", hint=f"seal it with `audit gate {run.path}`"
        ) from None


def read_attestation(path: Path) -> tuple[Statement, Envelope | None]:
    """A statement, and its envelope where it is signed; no signature is checked.

    Raises:
        IntegrityError: naming the file, when it is damaged.
    """
    if b'"payloadType"' not in path.read_bytes():
        return read_canonical(path, Statement), None
    envelope = read_canonical(path, Envelope)
    try:
        statement = Statement.model_validate_json(envelope.content)
        same = base64.b64encode(envelope.content).decode() == envelope.payload
    except (ValidationError, binascii.Error, ValueError):
        same = False
    if not same:
        raise _changed(path)
    return statement, envelope


def signoff_files(run: RunFolder) -> list[Path]:
    """In the order in which they were given."""
    found = {path: path.stem.removeprefix("signoff-") for path in run.attestations.glob("signoff-*.json")}
    return sorted((path for path, number in found.items() if number.isdecimal()), key=lambda path: int(found[path]))


def signoffs(run: RunFolder, *, verified: Callable[[Envelope], bool] | None = None) -> tuple[Signoff, ...]:
    """The sign-offs of a run in the order in which they were given.

    Args:
        verified: is an envelope signed by a key that the reader trusts; None: signatures are not looked at.

    Raises:
        IntegrityError: naming a file that is damaged.
    """
    if not run.attestations.is_dir():
        return ()
    digest = bundle_digest(run) if run.bundle_path.exists() else ""
    return tuple(read_signoff(path, digest=digest, verified=verified) for path in signoff_files(run))


def read_signoff(path: Path, *, digest: str, verified: Callable[[Envelope], bool] | None = None) -> Signoff:
    """One sign-off; `digest` is that of the bundle as it is. Raises as `signoffs` does."""
    statement, envelope = read_attestation(path)
    try:
        if statement.predicate_type != SIGNOFF:
            raise _changed(path)
        # As JSON, because enumerations and tuples are read strictly from Python objects only.
        record = SignoffRecord.model_validate_json(rfc8785.dumps(dict(statement.predicate)))
    except ValidationError:
        raise _changed(path) from None
    signed = Signed.UNSIGNED
    if envelope is not None:
        signed = Signed.VERIFIED if verified is not None and verified(envelope) else Signed.NOT_VERIFIED
    return Signoff(
        file=path.name,
        record=record,
        bundle=statement.bundle,
        state=SignoffState.VALID if digest and statement.bundle == digest else SignoffState.STALE,
        signed=signed,
        keys=tuple(signature.keyid for signature in envelope.signatures) if envelope else (),
    )


def _changed(path: Path) -> IntegrityError:
    return IntegrityError(
        f"{path} was changed or is damaged",
        hint="find out who wrote to the run folder; a statement can be made again with `audit sign` or `audit signoff`",
    )
