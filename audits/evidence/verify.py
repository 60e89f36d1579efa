"""Is a run folder what was sealed: digests, verdict, report, ledger, signatures and sign-offs, without the model.

Every check is done or says why it was not. Files are judged by what `bundle.json` records and then by what follows from
them: the verdict and every file that is derived are made again and compared byte by byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from audits.evidence.bundle import Bundle, BundledFile, files_of, make_bundle
from audits.evidence.ledger import ledger_of, read_ledger, unrecorded
from audits.evidence.signing import Finding, check, keyid
from audits.evidence.signoff import SIGNED_COPY, require_allowed, signed_copy
from audits.evidence.statements import result_of
from audits.gate.judgement import findings_json, judgement
from audits.gate.waivers import Waivers, parse_waivers
from audits.policy.policy import frozen_policy, parse_policy
from probes.core.attestation import (
    ATTEMPTS,
    BUNDLE,
    TEST_RESULT,
    Envelope,
    Signed,
    SignoffState,
    bundle_digest,
    canonical,
    read_attestation,
    read_canonical,
    read_signoff,
    signoff_files,
)
from probes.core.errors import AuditError, IntegrityError
from probes.core.findings import Verdict, WaiverState
from probes.core.run_folder import RunFolder
from reports.formats import FORMATS, Format
from reports.load import load
from reports.numbers import plural
from reports.pdf import PDF, page_on_paper, source_of
from reports.render import FOLDER, render, render_dir

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Derivation = Callable[[RunFolder], bytes]
"""Makes a derived file again from a run folder."""

MOST_NAMED = 8
"""Files that the error names; the checks name all."""


def _formatted(form: Format, run: RunFolder) -> bytes:
    return form.render(load(run))


FORMAT_FILES: Mapping[str, Derivation] = {form.file: partial(_formatted, form) for form in FORMATS.values()}
"""The files for CI and inventories."""


class Outcome(StrEnum):
    """Of one check."""

    OK = "ok"
    FAILED = "failed"
    NOT_DONE = "not done"
    NOTE = "note"
    """Nothing is wrong with the bytes, but a reader must know it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check; `files` are those that are not as they should be."""

    name: str
    outcome: Outcome
    sentence: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """All checks of a run; `digest` is that of its bundle, empty where it has none."""

    path: Path
    digest: str
    checks: tuple[Checked, ...]

    @property
    def failed(self) -> tuple[Checked, ...]:
        """What does not hold."""
        return tuple(each for each in self.checks if each.outcome is Outcome.FAILED)

    def require(self) -> None:
        """Refuse a run of which something does not hold.

        Raises:
            IntegrityError: naming the files.
        """
        if not self.failed:
            return
        files = list(dict.fromkeys(file for each in self.failed for file in each.files))
        more = f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
        named = f" ({', '.join(files[:MOST_NAMED])}{more})" if files else ""
        raise IntegrityError(
            f"{self.path} is not what was recorded{named}: {self.failed[0].sentence}",
            hint="do not rely on this run; find out who changed it, or run the audit again",
        )


def verify(
    run: RunFolder,
    *,
    keys: Sequence[Ed25519PublicKey] = (),
    expected: str = "",
    as_of: date | None = None,
    derivations: Mapping[str, Derivation] = FORMAT_FILES,
) -> Verification:
    """Check a sealed run; call `require` on the result to refuse it where something does not hold.

    Args:
        keys: public keys that the reader trusts; something about this bundle must be signed by each of them.
        expected: digest of the bundle as the reader knows it from elsewhere.
        as_of: day on which dates of expiry are looked at; None: they are not.
        derivations: how files at the top of the folder are made again, by name.

    Raises:
        UsageError: when this is no run folder.
    """
    if not run.bundle_path.is_file():
        run.manifest()  # no run folder at all is an error of usage
        unsealed = Checked(
            "bundle", Outcome.FAILED, f"there is no {BUNDLE}: never sealed, or it was removed", (BUNDLE,)
        )
        return Verification(run.path, "", (unsealed,))
    digest = bundle_digest(run)
    checks = [*_expected(digest, expected), *_files(run)]
    intact = all(each.outcome is not Outcome.FAILED for each in checks)
    content: Sequence[tuple[str, Callable[[], Checked]]] = (
        ("policy", partial(_policy, run)),
        ("verdict", partial(_verdict, run)),
        ("report", partial(_report, run)),
        *([("report as PDF", partial(_paper, run))] if run.file(PDF).exists() else []),
        ("derived files", partial(_derived_files, run, derivations)),
        ("ledger of attempts", partial(_ledger, run)),
    )
    for name, question in content:
        skipped = Checked(name, Outcome.NOT_DONE, "the files are not those that were sealed")
        checks.append(_asked(name, question) if intact else skipped)
    checks += _attestations(run, digest, keys, intact=intact)
    if as_of is not None and intact:
        checks += _expired(run, as_of)
    return Verification(run.path, digest, tuple(checks))


def rejudge(run: RunFolder) -> Verdict:
    """Judge what is stored by the policy and the waivers that are stored, as on the day of the verdict.

    Raises:
        AuditError: when policy, waivers or results cannot be read.
    """
    frozen, stored = frozen_policy(run.manifest()), run.policy_path
    policy = parse_policy(stored.read_text(encoding="utf-8"), name=stored.name) if stored.exists() else frozen
    return judgement(run, policy, waivers=_waivers(run))


def _waivers(run: RunFolder) -> Waivers | None:
    path = run.waivers_path
    if not path.exists():
        return None
    day = run.verdict().as_of
    if day is None:
        raise IntegrityError(
            f"{path} was not there when the run was judged", hint=f"judge it again: audit gate {run.path}"
        )
    return parse_waivers(path.read_text(encoding="utf-8"), name=path.name, as_of=date.fromisoformat(day))


def _asked(name: str, question: Callable[[], Checked]) -> Checked:
    """The answer; what cannot be read does not hold."""
    try:
        return question()
    except (AuditError, UnicodeDecodeError) as error:
        message = error.message if isinstance(error, AuditError) else str(error)
        return Checked(name, Outcome.FAILED, message)


def _expected(digest: str, expected: str) -> Iterator[Checked]:
    if not expected:
        return
    if digest == expected:
        yield Checked("expected digest", Outcome.OK, "the bundle is the one that was expected")
    else:
        yield Checked("expected digest", Outcome.FAILED, f"{BUNDLE} has the digest {digest}, not {expected}", (BUNDLE,))


def _files(run: RunFolder) -> Iterator[Checked]:
    """The bundle is readable, every file is in it and as it says, and it says nothing else."""
    try:
        bundle, present = read_canonical(run.bundle_path, Bundle), files_of(run)
    except IntegrityError as error:
        named = (BUNDLE,) if str(run.bundle_path) in error.message else ()
        yield Checked("bundle", Outcome.FAILED, error.message, named)
        return
    recorded, found = ({file.path: file for file in files} for files in (bundle.files, present))
    changed = [path for path in recorded if path in found and found[path] != recorded[path]]
    differences = {
        f"not as {BUNDLE} records it": changed,
        f"listed in {BUNDLE} and missing": sorted(recorded.keys() - found.keys()),
        f"not in {BUNDLE}": sorted(found.keys() - recorded.keys()),
    }
    wrong = {why: paths for why, paths in differences.items() if paths}
    for why, paths in wrong.items():
        yield Checked("digests", Outcome.FAILED, f"{why}: {', '.join(paths)}", tuple(paths))
    if not wrong:
        yield Checked("digests", Outcome.OK, f"{plural(len(found), 'file')} as recorded, none missing, none added")
        yield _asked("bundle", lambda: _bundle(run, bundle, make_bundle(run, present)))


def _bundle(run: RunFolder, stored: Bundle, made: Bundle) -> Checked:
    if stored == made:
        count = f", after {plural(made.attempts.count, 'earlier attempt')}" if made.attempts else ""
        return Checked("bundle", Outcome.OK, f"says what follows from the files; frozen {made.freeze.frozen}{count}")
    wrong = [name for name in Bundle.model_fields if getattr(stored, name) != getattr(made, name)]
    return Checked(
        "bundle", Outcome.FAILED, f"{BUNDLE} does not follow from the files of the run: {', '.join(wrong)}", (BUNDLE,)
    )


def _policy(run: RunFolder) -> Checked:
    manifest = run.manifest()
    frozen_policy(manifest)
    told = f"the policy in the manifest is the one frozen on {manifest.created}"
    if run.findings_path.exists() and run.verdict().policy_digest != manifest.policy_digest:
        return Checked("policy", Outcome.NOTE, f"{told}, but the run was judged by another one")
    return Checked("policy", Outcome.OK, told)


def _verdict(run: RunFolder) -> Checked:
    if not run.findings_path.exists():
        return Checked("verdict", Outcome.NOT_DONE, "the run has not been judged")
    again = rejudge(run)
    if findings_json(again) == run.findings_path.read_bytes():
        return Checked(
            "verdict", Outcome.OK, f"judging the stored results again gives the same: exit code {again.exit_code}"
        )
    return _differs(run, "verdict", run.findings_path.name)


def _report(run: RunFolder) -> Checked:
    """The report in each layout that is there."""
    stored = {file.path: run.file(file.path).read_bytes() for file in _bundled(run) if file.role == "report"}
    if not stored:
        return Checked("report", Outcome.NOT_DONE, "there is no report")
    again = (_made(run, stored, unmask=unmask) for unmask in (False, True))
    wrong = min(([name for name in stored if made.get(name) != stored[name]] for made in again), key=len)
    if wrong:
        return _differs(run, "report", *wrong)
    return Checked("report", Outcome.OK, "rendering it again gives the same bytes")


def _made(run: RunFolder, stored: Iterable[str], *, unmask: bool) -> dict[str, bytes]:
    """The report again, in those layouts of which something is stored, by path."""
    made = {}
    if run.report_path.name in stored:
        made[run.report_path.name] = render(run, unmask=unmask)
    if any(name.startswith(f"{FOLDER}/") for name in stored):
        made |= {f"{FOLDER}/{name}": content for name, content in render_dir(run, unmask=unmask).items()}
    return made


def _paper(run: RunFolder) -> Checked:
    """The PDF names the page it was made from. Its own bytes follow from that page and the fonts of one machine."""
    name, source = "report as PDF", source_of(run.file(PDF).read_bytes())
    pages = (page_on_paper(run, unmask=unmask) for unmask in (False, True))
    if any(hashlib.sha256(page).hexdigest() == source for page in pages):
        return Checked(
            name, Outcome.OK, "it names the page that follows from the stored results; its pages by digest only"
        )
    return _differs(run, name, PDF)


def _bundled(run: RunFolder) -> tuple[BundledFile, ...]:
    return read_canonical(run.bundle_path, Bundle).files


def _derived_files(run: RunFolder, derivations: Mapping[str, Derivation]) -> Checked:
    """Files for CI and inventories."""
    name = "derived files"
    present = [file.path for file in _bundled(run) if file.role in ("derived", "comparison") and file.path != PDF]
    wrong = [file for file in present if file in derivations and not _same(run, file, derivations[file])]
    if wrong:
        return _differs(run, name, *wrong)
    made = [file for file in present if file in derivations]
    told = f"{plural(len(made), 'file')} made again, with the same bytes" if made else "there are none to make again"
    others = [file for file in present if file not in derivations]
    if others:
        return Checked(name, Outcome.NOT_DONE, f"{told}; only by digest: {', '.join(others)}")
    return Checked(name, Outcome.OK, told)


def _same(run: RunFolder, name: str, derive: Derivation) -> bool:
    return derive(run) == run.file(name).read_bytes()


def _differs(run: RunFolder, name: str, *files: str) -> Checked:
    """Made again it comes out differently: a fault, unless another version of the tool is what made it."""
    tool, here = run.manifest().environment.tool, _tool()
    if tool != here:
        told = f"{', '.join(files)} cannot be made again by {here}: use {tool}; the digests are right"
        return Checked(name, Outcome.NOT_DONE, told)
    told = f"{', '.join(files)} does not follow from the stored results"
    return Checked(name, Outcome.FAILED, told, files)


def _tool() -> str:
    try:
        return f"responsible-audit {version('responsible-audit')}"
    except PackageNotFoundError:
        return "responsible-audit not installed"


def _ledger(run: RunFolder) -> Checked:
    name, path = "ledger of attempts", ledger_of(run)
    manifest, lines = run.manifest(), read_ledger(path)
    own = [line for line in lines if line.run == (manifest.run_id, manifest.created)]
    if not own:
        told = "there is no ledger beside the run folder" if not lines else "the ledger does not know this run"
        return Checked(name, Outcome.NOT_DONE, f"{told}; {ATTEMPTS} was checked by its digest alone")
    missing = unrecorded(run, lines)
    if missing:
        return Checked(name, Outcome.FAILED, f"{ATTEMPTS} lacks earlier runs: {', '.join(missing)}", (ATTEMPTS,))
    judged = [(line.policy_digest, line.exit_code) for line in own if line.event == "judged"]
    verdict = run.verdict() if run.findings_path.exists() else None
    if judged[-1:] != ([(verdict.policy_digest, verdict.exit_code)] if verdict else []):
        told = f"the ledger {path} and findings.json disagree about the last verdict"
        return Checked(name, Outcome.FAILED, told, ("findings.json",))
    return Checked(name, Outcome.OK, f"{plural(len(lines), 'line')}, each bound to the one before")


def _attestations(run: RunFolder, digest: str, keys: Sequence[Ed25519PublicKey], *, intact: bool) -> Iterator[Checked]:
    """Everything under `attest/`, and that each key given has signed something about this bundle."""
    used: set[str] = set()
    for path in sorted(run.attestations.iterdir()) if run.attestations.is_dir() else []:
        name = f"attest/{path.name}"
        if path.name.endswith(".partial"):
            continue
        if path.is_symlink() or not path.is_file():
            yield Checked(name, Outcome.FAILED, f"{name} is no plain file", (name,))
            continue
        answer = _asked(name, partial(_attestation, run, path, digest, keys, used, intact=intact))
        yield Checked(name, answer.outcome, answer.sentence, (name,)) if answer.outcome is Outcome.FAILED else answer
    for key in keys:
        if keyid(key) not in used:
            told = f"nothing about this bundle is signed with the key {keyid(key)}"
            yield Checked("signatures", Outcome.FAILED, told, (BUNDLE, "attest/"))
    if not run.attestations.is_dir() and not keys:
        yield Checked("signatures", Outcome.NOT_DONE, "there are none: whoever can write here can also seal again")


def _attestation(
    run: RunFolder, path: Path, digest: str, keys: Sequence[Ed25519PublicKey], used: set[str], *, intact: bool
) -> Checked:
    name = f"attest/{path.name}"
    if path.name == SIGNED_COPY:
        return _signed_copy(run, path, intact=intact)
    if path.name != TEST_RESULT and path not in signoff_files(run):
        return Checked(name, Outcome.NOT_DONE, "not a statement of this tool")
    statement, envelope = read_attestation(path)
    if path.name == TEST_RESULT:
        told = f"test result {statement.predicate.get('result')}"
        if envelope is None:
            return Checked(name, Outcome.FAILED, f"{name} is not signed")
        if intact and statement.bundle == digest and canonical(result_of(run)) != envelope.content:
            return _differs(run, name, name)
    else:
        signoff = read_signoff(path, digest=digest)
        record = signoff.record
        told = f"{record.reviewer}, {record.role.value}, {record.date}: {record.decision.value}"
        if intact and signoff.state is SignoffState.VALID:
            require_allowed(record, run.manifest())
    found = check(envelope, keys) if envelope is not None and keys else None
    if found is Finding.BROKEN:
        return Checked(name, Outcome.FAILED, f"the signature in {name} is not by the key it names")
    if statement.bundle != digest:
        return Checked(name, Outcome.NOTE, f"{told}; stale: it is about another bundle, {statement.bundle[:12]}")
    if found is Finding.VERIFIED and envelope is not None:
        used.update(signature.keyid for signature in envelope.signatures)
        return Checked(name, Outcome.OK, f"{told}; {Signed.VERIFIED.value}")
    return Checked(name, Outcome.NOT_DONE, f"{told}; {_unverified(envelope, given=bool(keys))}")


def _signed_copy(run: RunFolder, path: Path, *, intact: bool) -> Checked:
    name = f"attest/{path.name}"
    if not intact:
        return Checked(name, Outcome.NOT_DONE, "the files are not those that were sealed")
    if signed_copy(run) == path.read_bytes():
        return Checked(name, Outcome.OK, "the report with the sign-offs: rendering it again gives the same bytes")
    return _differs(run, name, name)


def _unverified(envelope: Envelope | None, *, given: bool) -> str:
    if envelope is None:
        return "not signed, so anybody with access could have written it"
    by = ", ".join(signature.keyid[:19] for signature in envelope.signatures)
    return f"signed by another key ({by})" if given else f"signature present, not verified: give --key ({by})"


def _expired(run: RunFolder, as_of: date) -> Iterator[Checked]:
    """What has run out since the run was judged."""
    today, verdict = as_of.isoformat(), run.verdict() if run.findings_path.exists() else None
    for waiver in verdict.waivers if verdict else ():
        if waiver.state is WaiverState.USED and waiver.expires < today:
            told = f"the waiver {waiver.id} expired on {waiver.expires}: judge the run again"
            yield Checked("waivers", Outcome.NOTE, told)
    until = run.manifest().card.report_expires
    if until and until < today:
        yield Checked("report", Outcome.NOTE, f"by its own statement it should not be relied upon after {until}")
