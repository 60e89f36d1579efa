"""From a run folder to one HTML file: no network, no clock, nothing from the environment, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from probes.core.run_folder import RunFolder, write_atomic
from probes.text.masking import mask
from reports.cases import masked_cases
from reports.decision import verdict_badge
from reports.limits import LADDER, MOST_BYTES, Limits
from reports.load import Loaded, load
from reports.marks import visible
from reports.page import page


def write_report(run: RunFolder | Path, *, unmask: bool = False) -> Path:
    """Render a run folder into its `report.html`; `unmask` as in `render`.

    Raises:
        UsageError: when it is no run folder.
        IntegrityError: when a file of it is damaged.
        OutputError: when the report cannot be written.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    write_atomic(folder.report_path, render(folder, unmask=unmask))
    return folder.report_path


def render(run: RunFolder, *, unmask: bool = False) -> bytes:
    """The report as UTF-8: self-contained, readable without JavaScript, under 5 MB.

    What does not fit is left out from the bottom of lists and tables, each with a note; see `reports.limits`. Listed
    offensive words are masked and cases under a content note are closed, unless `unmask`.

    Raises:
        UsageError: when it is no run folder.
        IntegrityError: when a file of it is damaged.
    """
    loaded = load(run) if unmask else masked_cases(load(run))
    for limits in LADDER:
        content = _render(loaded, limits, masked=not unmask)
        if len(content) <= MOST_BYTES:
            break
    return content


def _render(loaded: Loaded, limits: Limits, *, masked: bool) -> bytes:
    env = environment(limits, masked=masked)
    view = page(loaded, limits=limits)
    style = env.get_template("report.css").render(page_header=_page_header(loaded, masked=masked))
    script = env.get_template("report.js").render()
    html = env.get_template("report.html.j2").render(
        page=view,
        masked=masked,
        style=Markup(style),
        script=Markup(script),
        csp=Markup(_content_security_policy(style, script)),
    )
    return html.encode("utf-8")


def environment(limits: Limits, *, masked: bool = True) -> Environment:
    """The template environment: everything escaped, offensive words masked, unseen characters named, an unknown name
    is an error.
    """
    return Environment(
        loader=FileSystemLoader(_template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=partial(_shown, cap=limits.string, masked=masked),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def _template_folder() -> Path:
    """`templates/` inside the installed package, or beside the package in a checkout."""
    packaged = Path(__file__).parent / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"


def _shown(value: object, *, cap: int, masked: bool) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(mask(value) if masked else value, cap=cap)


def _content_security_policy(style: str, script: str) -> str:
    """Nothing may be loaded; only this style and this script, by their hashes, may apply."""
    return (
        f"default-src 'none'; style-src '{_source_hash(style)}'; script-src '{_source_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _source_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _page_header(loaded: Loaded, *, masked: bool) -> str:
    """Identity for the margin of each printed page; it stands in CSS, so only plain characters are let through."""
    manifest, verdict = loaded.manifest, verdict_badge(loaded).word
    text = f"Run {manifest.run_id[:60]} - model {manifest.model.fingerprint[:12]} - {verdict}"
    return re.sub(r"[^A-Za-z0-9._ -]", "-", mask(text) if masked else text)
