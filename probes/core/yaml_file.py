"""YAML into a schema, with line numbers in every complaint. Used for every file that people write.

YAML 1.2, safe: no tags, no objects, duplicate keys refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from probes.core.errors import UsageError, did_you_mean

Schema = TypeVar("Schema", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Located(Generic[Schema]):
    """What a file says, and where it says it."""

    content: Schema
    document: Any

    def line(self, *location: str | int) -> int:
        """Line of a key or a list entry, counted from 1; of what holds it, where it is not in the file."""
        return _line(self.document, location)


def read_yaml(path: Path, schema: type[Schema], *, error: type[UsageError] = UsageError) -> Schema:
    """The file at `path`, checked against `schema`.

    Raises:
        error: one line naming file and line: unreadable, not YAML, a duplicate, unknown or missing key, a wrong value.
    """
    return parse_yaml(read_text(path, error=error), schema, name=str(path), error=error)


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


def parse_yaml(text: str, schema: type[Schema], *, name: str, error: type[UsageError] = UsageError) -> Schema:
    """Likewise for text; `name` stands for the file in messages."""
    return parse_located(text, schema, name=name, error=error).content


def parse_located(
    text: str, schema: type[Schema], *, name: str, error: type[UsageError] = UsageError
) -> Located[Schema]:
    """Likewise, with the lines kept."""
    try:
        document = _parse(text, name=name, error=error)
        plain = _plain(document)
    except RecursionError:
        raise error(f"{name}: nested too deeply, or within itself", hint="write it without such nesting") from None
    if not isinstance(document, CommentedMap):
        raise error(f"{name}: expected keys and values at the top level", hint="see docs/ for an example file")
    try:
        return Located(schema.model_validate(plain), document)
    except ValidationError as cause:
        raise _refused(cause, document, schema, name=name, error=error) from None


def _refused(
    cause: ValidationError, document: Any, schema: type[BaseModel], *, name: str, error: type[UsageError]
) -> UsageError:
    """The first mistake in words; a mistyped key before whatever is missing because of it."""
    mistakes = cause.errors()
    first = next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])
    where = f"{name}, line {_line(document, first['loc'])}"
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _known_keys(schema, first["loc"])
        return error(f"{where}: unknown key {key!r}", hint=did_you_mean(str(first["loc"][-1]), known))
    named = f"{key}: " if key else ""
    return error(
        f"{where}: {named}{first['msg'].removeprefix('Value error, ')}",
        hint="correct the value and run the command again",
    )


def _parse(text: str, *, name: str, error: type[UsageError]) -> object:
    parser = YAML(typ="rt")
    parser.allow_duplicate_keys = False
    try:
        return parser.load(text)
    except MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = " ".join(str(cause.problem or cause.context).split())
        remedy = "keep one of them" if "duplicate key" in problem else "correct the YAML"
        raise error(f"{name}{line}: {problem}", hint=f"{remedy} and run the command again") from None
    except YAMLError as cause:
        raise error(f"{name}: {cause}", hint="correct the YAML and run the command again") from None


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    # ruamel's scalar subclasses keep formatting; the schema wants plain values
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(document: Any, location: Sequence[str | int]) -> int:
    node, line = document, 1
    for part in location:
        try:
            if isinstance(node, CommentedMap):
                line = node.lc.key(part)[0] + 1
            elif isinstance(node, CommentedSeq):
                line = node.lc.item(part)[0] + 1
            node = node[part]
        except (KeyError, IndexError, TypeError):
            break
    return int(line)


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
