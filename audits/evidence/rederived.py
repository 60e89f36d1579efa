"""Does what is derived follow from what is stored: policy, verdict, report and files are made again and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from audits.evidence.bundle import Bundle, BundledFile
from audits.evidence.checked import Checked, Outcome
from audits.gate.judgement import findings_json, judgement
from audits.gate.waivers import Waivers, parse_waivers
from audits.policy.policy import frozen_policy, parse_policy
from probes.core.attestation import read_canonical
from probes.core.errors import IntegrityError
from probes.core.findings import Verdict
from probes.core.run_folder import RunFolder
from reports.formats import FORMATS, Format
from reports.load import load
from reports.numbers import plural
from reports.pdf import PDF, page_on_paper, source_of
from reports.render import FOLDER, render, render_dir

Derivation = Callable[[RunFolder], bytes]
"""Makes a derived file again from a run folder."""


def _formatted(form: Format, run: RunFolder) -> bytes:
    return form.render(load(run))


FORMAT_FILES: Mapping[str, Derivation] = {form.file: partial(_formatted, form) for form in FORMATS.values()}
"""The files for CI and inventories."""


def rejudge(run: RunFolder) -> Verdict:
    """Judge what is stored by the policy and the waivers that are stored, as on the day of the verdict.

    Raises:
        AuditError: when policy, waivers or results cannot be read.
    """
    frozen, stored = frozen_policy(run.manifest()), run.policy_path
    policy = parse_policy(stored.read_text(encoding="utf-8"), name=stored.name) if stored.exists() else frozen
    file = run.verdict().policy_file or ""  # where it lay: of all that was judged by, that alone is no content
    return judgement(run, replace(policy, path=file), waivers=_waivers(run))


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


def checked_policy(run: RunFolder) -> Checked:
    """The policy in the manifest is the one that was frozen, by the manifest's own word; the ledger has its own."""
    manifest = run.manifest()
    frozen_policy(manifest)
    told = f"the policy in the manifest is the one frozen on {manifest.created}"
    if run.findings_path.exists() and run.verdict().policy_digest != manifest.policy_digest:
        return Checked("policy", Outcome.NOTE, f"{told}, but the run was judged by another one")
    return Checked("policy", Outcome.OK, told)


def checked_verdict(run: RunFolder) -> Checked:
    """The stored results give the stored verdict."""
    if not run.findings_path.exists():
        return Checked("verdict", Outcome.NOT_DONE, "the run has not been judged")
    again = rejudge(run)
    if findings_json(again) == run.findings_path.read_bytes():
        return Checked(
            "verdict", Outcome.OK, f"judging the stored results again gives the same: exit code {again.exit_code}"
        )
    return differs(run, "verdict", run.findings_path.name)


def checked_report(run: RunFolder) -> Checked:
    """The report in each layout that is there."""
    stored = {file.path: run.file(file.path).read_bytes() for file in _bundled(run) if file.role == "report"}
    if not stored:
        return Checked("report", Outcome.NOT_DONE, "there is no report")
    wrong = _masked(run, stored)
    if wrong:
        return differs(run, "report", *wrong)
    return Checked("report", Outcome.OK, "rendering it again gives the same bytes")


def _masked(run: RunFolder, stored: Mapping[str, bytes]) -> Sequence[str]:
    """The files that rendering does not give, masked or else unmasked, whichever is nearer; rendered once if it can."""
    wrong: Sequence[str] = tuple(stored)
    for unmask in (False, True):
        made = _made(run, stored, unmask=unmask)
        wrong = min(wrong, [name for name in stored if made.get(name) != stored[name]], key=len)
        if not wrong:
            break
    return wrong


def _made(run: RunFolder, stored: Iterable[str], *, unmask: bool) -> dict[str, bytes]:
    """The report again, in those layouts of which something is stored, by path."""
    made = {}
    if run.report_path.name in stored:
        made[run.report_path.name] = render(run, unmask=unmask)
    if any(name.startswith(f"{FOLDER}/") for name in stored):
        made |= {f"{FOLDER}/{name}": content for name, content in render_dir(run, unmask=unmask).items()}
    return made


def checked_paper(run: RunFolder) -> Checked:
    """The PDF names the page it was made from. Its own bytes follow from that page and the fonts of one machine."""
    name, source = "report as PDF", source_of(run.file(PDF).read_bytes())
    pages = (page_on_paper(run, unmask=unmask) for unmask in (False, True))
    if any(hashlib.sha256(page).hexdigest() == source for page in pages):
        return Checked(
            name, Outcome.OK, "it names the page that follows from the stored results; its pages by digest only"
        )
    return differs(run, name, PDF)


def _bundled(run: RunFolder) -> tuple[BundledFile, ...]:
    return read_canonical(run.bundle_path, Bundle).files


def checked_derived_files(run: RunFolder, derivations: Mapping[str, Derivation]) -> Checked:
    """Files for CI and inventories."""
    name = "derived files"
    present = [file.path for file in _bundled(run) if file.role in ("derived", "comparison") and file.path != PDF]
    wrong = [file for file in present if file in derivations and not _same(run, file, derivations[file])]
    if wrong:
        return differs(run, name, *wrong)
    made = [file for file in present if file in derivations]
    told = f"{plural(len(made), 'file')} made again, with the same bytes" if made else "there are none to make again"
    others = [file for file in present if file not in derivations]
    if others:
        return Checked(name, Outcome.NOT_DONE, f"{told}; only by digest: {', '.join(others)}")
    return Checked(name, Outcome.OK, told)


def _same(run: RunFolder, name: str, derive: Derivation) -> bool:
    return derive(run) == run.file(name).read_bytes()


def differs(run: RunFolder, name: str, *files: str) -> Checked:
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
