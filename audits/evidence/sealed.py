"""Are the files of a run those that `bundle.json` records, and does it say nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from audits.evidence.bundle import Bundle, files_of, make_bundle
from audits.evidence.checked import Checked, Outcome, asked
from probes.core.attestation import BUNDLE, read_canonical
from probes.core.errors import IntegrityError
from probes.core.run_folder import RunFolder
from reports.numbers import plural


def expected_digest(digest: str, expected: str) -> Iterator[Checked]:
    """The bundle is the one that the reader knows from elsewhere, where they know one."""
    if not expected:
        return
    if digest == expected:
        yield Checked("expected digest", Outcome.OK, "the bundle is the one that was expected")
    else:
        yield Checked("expected digest", Outcome.FAILED, f"{BUNDLE} has the digest {digest}, not {expected}", (BUNDLE,))


def sealed_files(run: RunFolder) -> Iterator[Checked]:
    """The bundle is readable, every file is in it and as it says, and it says nothing else.

    Raises:
        UsageError: when another version of the tool wrote the run.
    """
    try:
        bundle, present = read_canonical(run.bundle_path, Bundle), files_of(run)
    except IntegrityError as error:
        run.require_format()  # a run of another version has another kind of bundle, and is not damaged
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
        run.require_format()
        yield Checked("digests", Outcome.OK, f"{plural(len(found), 'file')} as recorded, none missing, none added")
        yield asked("bundle", lambda: _bundle(run, bundle, make_bundle(run, present)))


def _bundle(run: RunFolder, stored: Bundle, made: Bundle) -> Checked:
    if stored == made:
        count = f", after {plural(made.attempts.count, 'earlier attempt')}" if made.attempts else ""
        return Checked("bundle", Outcome.OK, f"says what follows from the files; frozen {made.freeze.frozen}{count}")
    wrong = [name for name in Bundle.model_fields if getattr(stored, name) != getattr(made, name)]
    return Checked(
        "bundle", Outcome.FAILED, f"{BUNDLE} does not follow from the files of the run: {', '.join(wrong)}", (BUNDLE,)
    )
