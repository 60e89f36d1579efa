"""YAML into a schema, with line numbers in every complaint. Used for every file that people write.

YAML 1.2 (core schema, so `no` and `off` are words and 010 is ten), safe: no tags, no objects, duplicate keys refused.
The parser only says what stands where; all meaning is given here, so that it is the same with and without libyaml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from probes.core.errors import UsageError, did_you_mean

Schema = TypeVar("Schema", bound=BaseModel)

DOCS = "docs/"
"""Where examples of files are, when nobody knows better."""
DEEPEST = 64
"""Levels within one another. A file that people write has five; libyaml's own limit is the stack of the process."""
MOST_REPEATED = 1_000_000
"""Characters that aliases may stand for, all together: a few lines of them can stand for more than a memory holds."""

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""With libyaml where PyYAML was built with it: thirty times faster."""
_TAGS = frozenset({None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))})
"""Tags that say no more than the form does."""
_LONGEST = 4_000
"""Digits; Python reads no longer numbers."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
)
"""What text without quotation marks stands for where it is no text (YAML 1.2.2, section 10.3.2)."""

_REMEDIES = {
    "bool_type": "write true or false",
    **dict.fromkeys(("float_type", "int_type"), "write a number without quotation marks"),
}
"""What to do about a value of the wrong kind, by the schema's name for the mistake."""

_Inside = dict[str | int, tuple[int, Any]]
"""Key or place in a list -> its line, counted from 1, and the same for what it holds."""


@dataclass(frozen=True, slots=True)
class Located(Generic[Schema]):
    """What a file says, and where it says it."""

    content: Schema
    lines: _Inside

    def line(self, *location: str | int) -> int:
        """Line of a key or a list entry, counted from 1; of what holds it, where it is not in the file."""
        return _line(self.lines, location)


def read_yaml(path: Path, schema: type[Schema], *, error: type[UsageError] = UsageError, page: str = DOCS) -> Schema:
    """The file at `path`, checked against `schema`; `page` is where an example of such a file can be found.

    Raises:
        error: one line naming file and line: unreadable, not YAML, a duplicate, unknown or missing key, a wrong value.
    """
    return parse_yaml(read_text(path, error=error), schema, name=str(path), error=error, page=page)


def read_text(path: Path, *, error: type[UsageError] = UsageError) -> str:
    """The text of a file.

    Raises:
        error: when it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else "not UTF-8"
        raise error(f"cannot read {path}: {reason}", hint="check the path and the file's encoding") from None


def parse_yaml(
    text: str, schema: type[Schema], *, name: str, error: type[UsageError] = UsageError, page: str = DOCS
) -> Schema:
    """Likewise for text; `name` stands for the file in messages."""
    return parse_located(text, schema, name=name, error=error, page=page).content


def parse_located(
    text: str, schema: type[Schema], *, name: str, error: type[UsageError] = UsageError, page: str = DOCS
) -> Located[Schema]:
    """Likewise, with the lines kept."""
    try:
        content, lines = _composed(text)
    except _MistakeError as mistake:
        where = f"{name}, line {mistake.line}" if mistake.line else name
        raise error(f"{where}: {mistake.message}", hint=f"{mistake.remedy} and run the command again") from None
    if not isinstance(content, dict):
        raise error(f"{name}: expected keys and values at the top level", hint=f"see {page} for an example file")
    try:
        return Located(schema.model_validate(content), lines)
    except ValidationError as cause:
        raise _refused(cause, lines, schema, name=name, error=error) from None


def _refused(
    cause: ValidationError, lines: _Inside, schema: type[BaseModel], *, name: str, error: type[UsageError]
) -> UsageError:
    """The first mistake in words; a mistyped key before whatever is missing because of it."""
    mistakes = cause.errors()
    first = next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])
    where = f"{name}, line {_line(lines, first['loc'])}"
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(schema, first["loc"])
        return error(f"{where}: unknown key {key!r}", hint=did_you_mean(str(first["loc"][-1]), known))
    named = f"{key}: " if key else ""
    return error(
        f"{where}: {named}{first['msg'].removeprefix('Value error, ')}",
        hint=f"{_REMEDIES.get(first['type'], 'correct the value')} and run the command again",
    )


class _MistakeError(Exception):
    """What is wrong with the YAML; `line` is 0 where it has none."""

    def __init__(self, message: str, *, line: int, remedy: str = "correct the YAML") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.remedy = remedy


@dataclass(slots=True)
class _Node:
    """A value that has been read, or is being read while it is `open`.

    Attributes:
        line: at which it begins.
        text: as written; None for a list or a mapping.
        weight: characters that it stands for.
        key: of a mapping, the key whose value comes next, and its line.
    """

    value: Any
    line: int
    text: str | None = None
    anchor: str | None = None
    inside: _Inside = field(default_factory=dict)
    weight: int = 1
    open: bool = False
    key: tuple[str, int] | None = None


def _composed(text: str) -> tuple[Any, _Inside]:
    """The one document of a text as plain values, and the lines of what it holds.

    Raises:
        _MistakeError: when it is not YAML, or YAML of a kind that is refused.
    """
    composer = _Composer()
    for event in _events(text):
        composer.take(event)
    return composer.root.value, composer.root.inside


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_PARSER)
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        problem = " ".join(str(cause.problem or cause.context).split())
        raise _MistakeError(problem, line=mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, UnicodeError) as cause:  # a character that no YAML may hold
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else 0
        told = f"the character U+{ord(found.group()):04X} is not allowed" if found else " ".join(str(cause).split())
        raise _MistakeError(told, line=line, remedy="remove it, or write it as an escape in double quotes") from None


class _Composer:
    """Events of the parser into values. Without recursion: what is nested without end is refused, not followed."""

    def __init__(self) -> None:
        self.root = _Node(None, 0)
        self._documents = 0
        self._open: list[_Node] = []
        self._anchors: dict[str, _Node] = {}
        self._repeated = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        match event:
            case yaml.ScalarEvent():
                self._add(_scalar_node(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                node = self._open.pop()
                node.open = False
                self._add(node)
            case yaml.AliasEvent():
                self._add(self._aliased(event))
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _MistakeError("a second document begins", line=_line_of(event), remedy="keep one of them")

    def _begin(self, event: Any, value: Any) -> None:
        _refuse_tag(event)
        if len(self._open) == DEEPEST:
            raise _MistakeError("nested too deeply", line=_line_of(event), remedy="write it without such nesting")
        node = _Node(value, _line_of(event), anchor=event.anchor, open=True)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._open.append(node)

    def _aliased(self, event: Any) -> _Node:
        """What an alias stands for, at the place of the alias."""
        line, node = _line_of(event), self._anchors.get(event.anchor)
        if node is None:
            raise _MistakeError(f"the alias *{event.anchor} stands for nothing that was named before", line=line)
        if node.open:
            raise _MistakeError(f"nested within itself by the alias *{event.anchor}", line=line)
        self._repeated += node.weight
        if self._repeated > MOST_REPEATED:
            told = f"the aliases stand for more than {MOST_REPEATED:,} characters"
            raise _MistakeError(told, line=line, remedy="write out what is meant")
        return _Node(node.value, line, node.text, inside=node.inside, weight=node.weight)

    def _add(self, node: _Node) -> None:
        """Put a value that is complete where it belongs."""
        if node.anchor:
            self._anchors[node.anchor] = node
        if not self._open:
            self.root = node
            return
        holder = self._open[-1]
        holder.weight += node.weight
        if isinstance(holder.value, list):
            holder.inside[len(holder.value)] = node.line, node.inside
            holder.value.append(node.value)
        elif holder.key is None:
            holder.key = _key(node, holder), node.line
        else:
            key, line = holder.key
            holder.key = None
            holder.inside[key] = line, node.inside
            holder.value[key] = node.value


def _key(node: _Node, holder: _Node) -> str:
    if node.text is None:
        raise _MistakeError("a list or a mapping stands where a key should", line=node.line)
    if node.text in holder.value:
        raise _MistakeError(f"duplicate key {json.dumps(node.text)}", line=node.line, remedy="keep one of them")
    return node.text


def _scalar_node(event: Any) -> _Node:
    return _Node(_scalar(event), _line_of(event), event.value, anchor=event.anchor, weight=len(event.value) + 1)


def _scalar(event: Any) -> str | int | float | bool | None:
    _refuse_tag(event)
    text: str = event.value
    if not event.implicit[0]:  # in quotes, a block, or said to be text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    made = next((make for form, make in _NUMBERS if form.fullmatch(text)), None)
    if made and len(text) > _LONGEST:
        raise _MistakeError("a number that is too long", line=_line_of(event))
    return made(text) if made else text


def _refuse_tag(event: Any) -> None:
    if event.tag not in _TAGS:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        raise _MistakeError(f"the tag {tag} is not read here", line=_line_of(event), remedy="leave it out")


def _line_of(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _line(lines: _Inside, location: Sequence[str | int]) -> int:
    line = 1
    for part in location:
        if part not in lines:
            break
        line, lines = lines[part]
    return line


def _known_keys(schema: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    current: type[BaseModel] = schema
    for part in location[:-1]:
        field = current.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field else None
        current = inner or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found:
            return found
    return None
