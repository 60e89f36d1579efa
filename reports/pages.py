"""Pages beside the report of a run: its look, its rules about hostile text and size, and no script at all."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from probes.text.personal import mask_personal
from reports.limits import LADDER, MOST_BYTES, Limits
from reports.render import content_security_policy, environment, plain
from reports.wording import ASSURANCE


def fitted(make: Callable[[Limits], bytes]) -> bytes:
    """The page under the widest limits that keep it small enough."""
    for limits in LADDER:
        content = make(limits)
        if len(content) <= MOST_BYTES:
            break
    return content


def rendered(template: str, *, limits: Limits, masked: bool, in_print: str, **views: object) -> bytes:
    """A template as one self-contained file.

    Args:
        masked: offensive words are masked.
        in_print: what stands in the margin of each printed page.
        views: what the template prints.
    """
    env = environment(limits, masked=masked)
    style = env.get_template("report.css").render(page_header=plain(in_print, masked=masked))
    style += env.get_template("beside.css").render()
    html = env.get_template(template).render(
        **views, assurance=ASSURANCE, style=Markup(style), csp=Markup(content_security_policy(style, ""))
    )
    return html.encode("utf-8")


def public(text: str) -> str:
    """A sentence or a name that may quote the data, with personal data of a known form masked."""
    return mask_personal(text, loose=False)


def left_out(shown: int, of: int, what: str, *, where: str) -> str:
    """A sentence on what a list does not show; "" where it shows all."""
    return f"Shortened: {shown:,} of {of:,} {what} are shown here. {where}" if shown < of else ""
