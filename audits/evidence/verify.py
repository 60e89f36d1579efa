"""Is a run folder what was sealed: digests, verdict, report, ledger, signatures and sign-offs, without the model.

Every check is done or says why it was not. Files are judged by what `bundle.json` records and then by what follows from
them: the verdict and every file that is derived are made again and compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audits.evidence.attested import attestations, expired
from audits.evidence.checked import Checked, Outcome, asked
from audits.evidence.rederived import (
    FORMAT_FILES,
    Derivation,
    checked_derived_files,
    checked_paper,
    checked_policy,
    checked_report,
    checked_verdict,
)
from audits.evidence.sealed import expected_digest, sealed_files
from audits.evidence.tried import checked_ledger
from probes.core.attestation import BUNDLE, bundle_digest
from probes.core.errors import IntegrityError
from probes.core.run_folder import RunFolder
from reports.pdf import PDF

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MOST_NAMED = 8
"""Files that the error names; the checks name all."""


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
        return _unsealed(run)
    digest = bundle_digest(run)
    checks = [*expected_digest(digest, expected), *sealed_files(run)]
    intact = all(each.outcome is not Outcome.FAILED for each in checks)
    for name, question in _questions(run, derivations):
        skipped = Checked(name, Outcome.NOT_DONE, "the files are not those that were sealed")
        checks.append(asked(name, question) if intact else skipped)
    checks += attestations(run, digest, keys, intact=intact)
    if as_of is not None and intact:
        checks += expired(run, as_of)
    return Verification(run.path, digest, tuple(checks))


def _unsealed(run: RunFolder) -> Verification:
    run.manifest()  # no run folder at all is an error of usage
    unsealed = Checked("bundle", Outcome.FAILED, f"there is no {BUNDLE}: never sealed, or it was removed", (BUNDLE,))
    return Verification(run.path, "", (unsealed,))


def _questions(run: RunFolder, derivations: Mapping[str, Derivation]) -> Sequence[tuple[str, Callable[[], Checked]]]:
    """What is asked of the content once every file is the one that was sealed."""
    return (
        ("policy", partial(checked_policy, run)),
        ("verdict", partial(checked_verdict, run)),
        ("report", partial(checked_report, run)),
        *([("report as PDF", partial(checked_paper, run))] if run.file(PDF).exists() else []),
        ("derived files", partial(checked_derived_files, run, derivations)),
        ("ledger of attempts", partial(checked_ledger, run)),
    )
