"""The report as PDF/UA-1, by WeasyPrint: tagged, everything that a browser folds away printed, nothing fetched.

WeasyPrint draws each SVG by itself, apart from the page: charts get the shapes and colours they refer to, and the icons
of statuses become backgrounds, which readers of tagged PDF skip, since the word stands beside them.

The same run gives the same bytes on the same machine with the same WeasyPrint, Pango and fonts; elsewhere lines may
break differently. The file's identifier is the SHA-256 of the page it was made from, which is the same everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from probes.core.errors import UsageError
from probes.core.run_folder import RunFolder, write_atomic
from reports.load import load
from reports.paper_columns import fix_columns
from reports.render import fitted, single, template_folder

PDF = "report.pdf"
MOST_PAGE = 1_500_000
"""Bytes of HTML that are set on paper; WeasyPrint takes about a minute for half of it."""

_SVG = "{http://www.w3.org/2000/svg}"
_ICON = "icon:"
_CLASS = re.compile(r"\.([\w-]+)")
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")
_INHERITED = ("--k", "--l")
"""Properties of the style sheet that a shape inherits: the colour of its status, and that of its line."""
_DRAWN = frozenset({"fill", "stroke", "color", *_INHERITED})
_DRAWN_BY_PREFIX = ("stroke-", "font")
_ON_PAPER = ("media", "print")
_IDENTIFIER = re.compile(rb"/ID ?\[ ?\(([0-9a-f]{64})\)")


def write_pdf(run: RunFolder, *, unmask: bool = False) -> Path:
    """Write `report.pdf` into a run folder; `unmask` as for the report.

    Raises:
        UsageError: when WeasyPrint or its libraries are not installed, or it is no run folder.
        IntegrityError: when a file of it is damaged.
        OutputError: when it cannot be written.
    """
    path = run.file(PDF)
    write_atomic(path, render_pdf(run, unmask=unmask))
    return path


def render_pdf(run: RunFolder, *, unmask: bool = False) -> bytes:
    """The report as PDF/UA-1. Takes a second or so for a printed page. Raises as `write_pdf`."""
    return typeset(page_on_paper(run, unmask=unmask), created=run.manifest().created)


def typeset(page: bytes, *, created: str) -> bytes:
    """A page of ours as PDF/UA-1, dated `created` (UTC, ISO 8601); anything else is left out of its properties.

    Raises:
        UsageError: when WeasyPrint or its libraries are not installed.
    """
    weasyprint = _weasyprint()
    icons: dict[str, bytes] = {}
    document = weasyprint.HTML(string=page.decode(), url_fetcher=_fetcher(weasyprint, icons))
    icons.update(_prepared(document.etree_element, created=created))
    identifier = hashlib.sha256(page).hexdigest().encode()
    content: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    return content


def page_on_paper(run: RunFolder, *, unmask: bool = False) -> bytes:
    """The page that the PDF is made from: the report, shortened further where it is very long."""
    return fitted(load(run), single, unmask=unmask, most=MOST_PAGE)["report.html"]


def source_of(content: bytes) -> str:
    """SHA-256 of the page that a PDF of ours was made from; "" where it names none."""
    found = _IDENTIFIER.findall(content)
    return found[-1].decode() if found else ""


def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # OSError: the package is there and Pango is not
        raise UsageError(
            f"the report cannot be written as PDF: {_first_line(error)}",
            hint="pip install 'responsible-audit[pdf]', and Pango from the system "
            "(Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0; macOS: brew install pango)",
        ) from None
    return weasyprint


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _fetcher(weasyprint: Any, icons: Mapping[str, bytes]) -> Any:
    """Gives out our own icons from memory and refuses all else: no file and no address is ever read."""

    class Refusing(weasyprint.urls.URLFetcher):  # type: ignore[misc]  # weasyprint is not typed
        def fetch(self, url: str, headers: Any = None) -> Any:
            name = url.removeprefix(_ICON)
            if not url.startswith(_ICON) or name not in icons:
                raise ValueError(f"the report loads nothing: {url[:80]}")
            return weasyprint.urls.URLFetcherResponse(url, icons[name], {"Content-Type": "image/svg+xml"})

    return Refusing()


def _prepared(root: Element, *, created: str) -> dict[str, bytes]:
    """Give each chart what it refers to and each table its widths, take the icons out, and date the document; returns
    the icons by name.
    """
    rules = drawing_rules("".join(sheet.text or "" for sheet in root.iter("style")))
    parts = {each.get("id", ""): each for each in root.iter() if each.get("id")}
    icons: dict[str, bytes] = {}
    for parent in list(root.iter()):
        for drawing in parent.findall(f"{_SVG}svg"):
            kinds, shapes = drawing.get("class", "").split(), [name for name in _referred(drawing) if name in parts]
            if "chart" in kinds:
                _complete(drawing, [parts[name] for name in shapes], rules)
            else:
                icons |= {name: _icon(drawing, parts[name], rules) for name in shapes}
                parent[list(parent).index(drawing)] = _place_of(drawing, shapes)
    fix_columns(root)
    _complete_head(root, created, icons)
    return icons


def _referred(drawing: Element) -> list[str]:
    """Ids of what stands elsewhere in the page: shapes and patterns."""
    links = (value for each in drawing.iter() for name, value in each.items() if name in ("href", "fill"))
    found = (re.fullmatch(r"#([\w-]+)|url\(#([\w-]+)\)", link) for link in links)
    return list(dict.fromkeys(match[1] or match[2] for match in found if match))


def _complete(chart: Element, shapes: Iterable[Element], rules: str) -> None:
    """Put colours and shapes into a chart, and what its title leaves to the description into the title, which is what
    a reader of tagged PDF is told instead of the picture.
    """
    style, kept = Element(f"{_SVG}style"), Element(f"{_SVG}defs")
    kept.extend(deepcopy(shape) for shape in shapes)
    style.text = rules_for([chart, kept], rules)
    title, told = chart.find(f"{_SVG}title"), chart.find(f"{_SVG}desc")
    if title is not None and told is not None:
        title.text = f"{(title.text or '').rstrip('.')}. {told.text or ''}"
    chart[:0] = [style, kept]


def _icon(drawn: Element, symbol: Element, rules: str) -> bytes:
    """An icon as a picture of its own."""
    icon = Element(f"{_SVG}svg", {"viewBox": symbol.get("viewBox", "0 0 16 16"), "class": drawn.get("class", "")})
    style = SubElement(icon, f"{_SVG}style")
    icon.extend(deepcopy(part) for part in symbol)
    style.text = rules_for([icon], rules)
    return tostring(icon)


def rules_for(drawn: Iterable[Element], rules: str) -> str:
    """Those of the rules, one a line, that may apply: each drawing reads its own, and most name what others have."""
    named = frozenset(name for part in drawn for each in part.iter() for name in each.get("class", "").split())
    return "\n".join(rule for rule in rules.splitlines() if _may_apply(rule.partition("{")[0], named))


def _may_apply(selectors: str, named: frozenset[str]) -> bool:
    """Whether all classes of one of the selectors occur."""
    return any(named.issuperset(_CLASS.findall(selector)) for selector in selectors.split(","))


def _place_of(drawn: Element, shapes: Iterable[str]) -> Element:
    """Where an icon goes as a background; of other pictures only the place remains."""
    span = Element("span", {"class": " ".join(("icon", *shapes))} if shapes else {})
    span.tail = drawn.tail
    return span


def _complete_head(root: Element, created: str, icons: Iterable[str]) -> None:
    """Add the style of paper, which must come last, and the date: that of the run, since no clock is read."""
    head = root.find("head")
    if head is None:
        return
    sheet = (template_folder() / "pdf.css").read_text(encoding="utf-8")
    rules = "".join(f'span.{name} {{ background-image: url("{_ICON}{name}") }}\n' for name in icons)
    SubElement(head, "style").text = sheet + rules
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created):
        SubElement(head, "meta", {"name": "dcterms.created", "content": created})


def drawing_rules(style: str) -> str:
    """The rules of a style sheet that shapes are drawn by, with the colours of paper in place of variables."""
    import tinycss2

    rules = list(_printed_rules(tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True)))
    colours: dict[str, str] = {}
    for selector, declared in rules:
        if selector == ":root":
            colours |= {name: value for name, value in declared if name.startswith("--") and name not in _INHERITED}
    shapes = (_drawing_rule(*rule, colours) for rule in rules if rule[0] != ":root" and "::" not in rule[0])
    return "\n".join(filter(None, shapes))


def _printed_rules(nodes: Iterable[Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(selector, declarations) of what applies on paper, in order."""
    import tinycss2

    for node in nodes:
        if node.type == "qualified-rule":
            declared = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            pairs = [(d.name, tinycss2.serialize(d.value).strip()) for d in declared if d.type == "declaration"]
            yield tinycss2.serialize(node.prelude).strip(), pairs
        elif node.type == "at-rule" and (node.at_keyword, tinycss2.serialize(node.prelude).strip()) == _ON_PAPER:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            yield from _printed_rules(inner)


def _drawing_rule(selector: str, declared: Iterable[tuple[str, str]], colours: Mapping[str, str]) -> str:
    drawn = [
        ("color" if name in _INHERITED else name, _resolved(value, colours))
        for name, value in declared
        if name in _DRAWN or name.startswith(_DRAWN_BY_PREFIX)
    ]
    drawn = [pair for pair in drawn if pair != ("color", "currentColor")]
    return f"{selector} {{ {'; '.join(f'{name}: {value}' for name, value in drawn)} }}" if drawn else ""


def _resolved(value: str, colours: Mapping[str, str]) -> str:
    """The value without variables: what is inherited is the current colour."""
    for _ in range(4):
        value = _VARIABLE.sub(lambda found: colours.get(found[1], "currentColor"), value)
    return value
