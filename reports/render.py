"""From a run folder to the report: no network, no clock, nothing from the environment, the same bytes every time.

One file that holds all it needs, or a folder with style and script apart, for hosts whose content security policy
forbids both within a page (Jenkins serves archived HTML under `default-src 'none'; style-src 'self'`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Literal

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from probes.core.run_folder import RunFolder, write_atomic
from probes.text.masking import mask
from reports.limits import LADDER, MOST_BYTES, Limits, Whole
from reports.load import Loaded, load
from reports.marks import visible
from reports.redacted import redacted

if TYPE_CHECKING:
    from jinja2.bccache import Bucket

    from reports.page import Page

_REMEMBERED = 400
"""Characters of the longest text that is remembered as it is printed."""
_BEYOND = 200
"""Characters beyond those shown that are looked at for a listed word that begins before."""

Layout = Literal["single", "dir"]
"""One file, or a folder with style and script apart."""

FOLDER, INDEX, STYLE, SCRIPT = "report", "index.html", "report.css", "report.js"
"""The folder of the layout `dir`, and what is in it."""


def report_path(run: RunFolder, layout: Layout) -> Path:
    """Where the report in this layout begins."""
    return run.report_path if layout == "single" else run.path / FOLDER / INDEX


def write_report(
    run: RunFolder | Path, *, layout: Layout = "single", unmask: bool = False, loaded: Loaded | None = None
) -> Path:
    """Render a run folder into `report.html`, or into the folder `report`; `unmask` as in `render`.

    A report in the other layout that is there is made again too, so that no two of them differ.

    Args:
        loaded: the run in memory, for those who have read it already.

    Returns:
        Where the report begins.

    Raises:
        UsageError: when it is no run folder.
        IntegrityError: when a file of it is damaged.
        OutputError: when the report cannot be written.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    loaded = loaded or load(folder)
    if layout == "single" or folder.report_path.exists():
        write_atomic(folder.report_path, render_loaded(loaded, unmask=unmask))
    if layout == "dir" or report_path(folder, "dir").exists():
        for name, content in fitted(loaded, apart, unmask=unmask).items():
            write_atomic(folder.path / FOLDER / name, content)
    return report_path(folder, layout)


def render(run: RunFolder, *, unmask: bool = False) -> bytes:
    """The report as UTF-8: self-contained, readable without JavaScript, under 5 MB.

    What does not fit is left out from the bottom of lists and tables, each with a note; see `reports.limits`. Listed
    offensive words and personal data of a known form are masked and cases under a content note are closed, unless
    `unmask`.

    Raises:
        UsageError: when it is no run folder.
        IntegrityError: when a file of it is damaged.
    """
    return render_loaded(load(run), unmask=unmask)


def render_loaded(loaded: Loaded, *, unmask: bool = False) -> bytes:
    """Likewise for a run in memory, such as one with the sign-offs that its own report cannot hold."""
    return fitted(loaded, single, unmask=unmask)["report.html"]


def render_dir(run: RunFolder, *, unmask: bool = False) -> Mapping[str, bytes]:
    """The files of the folder `report`, by name: the page, its style and its script; as `render` otherwise."""
    return fitted(load(run), apart, unmask=unmask)


Files = Mapping[str, bytes]
Making = Callable[[Loaded, Limits, bool], Files]
"""Makes the files of a layout; the last argument says whether to mask."""


def fitted(loaded: Loaded, make: Making, *, unmask: bool, most: int = 0) -> Files:
    """The files under the widest limits that keep them within `most` bytes (0: those of a report) together."""
    shown = loaded if unmask else redacted(loaded)
    for limits in LADDER:
        files = make(shown, limits, not unmask)
        if sum(map(len, files.values())) <= (most or MOST_BYTES):
            break
    return files


def single(loaded: Loaded, limits: Limits, masked: bool) -> Files:
    """Everything in one file, which may apply this style and run this script and load nothing."""
    env, view = environment(limits, masked=masked), _view(loaded, limits)
    style, script = _style(env, view, masked=masked), env.get_template(SCRIPT).render()
    policy = content_security_policy(style, script)
    return {"report.html": _html(env, view, masked=masked, policy=policy, style=style, script=script)}


def apart(loaded: Loaded, limits: Limits, masked: bool) -> Files:
    """Style and script beside the page, which may load them from where it lies and nothing else.

    `file:` is named because browsers differ in whether a local file is of the same origin as the one beside it.
    """
    env, view = environment(limits, masked=masked), _view(loaded, limits)
    policy = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; base-uri 'none'; form-action 'none'"
    style, script = _style(env, view, masked=masked), env.get_template(SCRIPT).render()
    return {INDEX: _html(env, view, masked=masked, policy=policy), STYLE: style.encode(), SCRIPT: script.encode()}


def _view(loaded: Loaded, limits: Limits) -> Page:
    from reports.page import page  # and with it scipy: most of what `audit --help` would load

    return page(loaded, limits=limits)


def _html(env: Environment, view: Page, *, masked: bool, policy: str, style: str = "", script: str = "") -> bytes:
    """The page; without a style it links to what lies beside it."""
    html = env.get_template("report.html.j2").render(
        page=view,
        masked=masked,
        beside=not style,
        style=Markup(style),
        script=Markup(script),
        csp=Markup(policy),
    )
    return html.encode("utf-8")


def _style(env: Environment, view: Page, *, masked: bool) -> str:
    """The style sheet; in the margin of printed pages it names the run."""
    return env.get_template(STYLE).render(page_header=plain(view.identity.in_print, masked=masked))


def plain(text: str, *, masked: bool) -> str:
    """Text that may stand in a string of a style sheet: only plain characters are let through."""
    return re.sub(r"[^A-Za-z0-9._:, -]", "-", mask(text) if masked else text)


class _Compiled(BytecodeCache):
    """Templates as they were compiled in this process: the environments differ in what becomes of a text when it is
    printed, and not in the code that prints it.
    """

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


@lru_cache(maxsize=len(LADDER) * 2)
def environment(limits: Limits, *, masked: bool = True) -> Environment:
    """The template environment: everything escaped, offensive words masked, unseen characters named, an unknown name
    is an error.
    """
    made = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=partial(_shown, limits=limits, masked=masked),
        bytecode_cache=_COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters["spans"] = spans
    return made


def spans(text: str) -> list[tuple[str, bool]]:
    """(part, is it typed) of sentences with what is typed between backticks; with one of them too many all is plain."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [(text, False)]
    return [(type(text)(part), place % 2 == 1) for place, part in enumerate(parts) if part]


def template_folder() -> Path:
    """`templates/` inside the installed package, or beside the package in a checkout."""
    packaged = Path(__file__).parent / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "templates"


def _shown(value: object, *, limits: Limits, masked: bool) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    cap = limits.whole if isinstance(value, Whole) else limits.string
    return _told(value, cap, masked) if len(value) <= _REMEMBERED else _told.__wrapped__(value, cap, masked)


@lru_cache(maxsize=20_000)
def _told(text: str, cap: int, masked: bool) -> str:
    """Text as it is printed, remembered: most of a report are the same few words and numbers again."""
    near = cap + _BEYOND
    return visible(mask(text[:near]) + text[near:] if masked else text, cap=cap)


def content_security_policy(style: str, script: str) -> str:
    """Nothing may be loaded; only this style and this script, by their hashes, may apply."""
    return (
        f"default-src 'none'; style-src '{_source_hash(style)}'; script-src '{_source_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _source_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
