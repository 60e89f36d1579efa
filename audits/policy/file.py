"""What a policy file may contain, and its JSON Schema."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audits.policy.checks import Check
from audits.policy.words import Said, ShortName

MOST_DAYS = 90
"""No exception lasts longer without being looked at again."""

API_VERSION = "audit-policy/v1"
PAGE = "docs/gate.md"
"""Has examples of the files that are read here."""

_DIGESTED = frozenset({"apiVersion", "id", "version", "title", "checks"})
_DIGESTED_OF_CHECK = frozenset(
    {"check", "min", "max", "level", "burden", "alpha", "family", "required", "minimum_n"} | {"rationale", "source"}
)
"""Keys that count in a digest in any case; others only where they say something, so that a key which a later version
adds leaves the digest of every policy without it as it was."""


class PolicyFile(BaseModel):
    """Checks that decide whether a model may be released."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, title="Audit policy")

    api_version: Literal["audit-policy/v1"] = Field(alias="apiVersion")
    """Format of the file."""
    id: ShortName
    """Name of the policy, by which findings refer to it."""
    version: ShortName
    """Version of the policy, in quotation marks."""
    title: str = ""
    """A line for readers."""
    owner: Said | None = None
    """Who keeps the policy."""
    approved_by: Said | None = None
    """Who approved it; somebody else than the owner."""
    approved_on: date | None = None
    """When, as YYYY-MM-DD."""
    expires: date | None = None
    """The last day on which it counts, as YYYY-MM-DD."""
    rationale_doc: Said | None = None
    """Where the reasons are written down: a path or an address."""
    extends: str | None = Field(
        default=None,
        min_length=1,
        json_schema_extra={"examples": ["default", "screening", "release", "regulated", "./team-policy.yaml"]},
    )
    """A built-in preset (default, screening, release, regulated) or the relative path of another policy file. Its
    checks come first; where one of this file matches too, that one decides."""
    non_waivable: tuple[str, ...] = ()
    """Patterns of checks for which no exception is allowed."""
    max_waiver_days: int = Field(default=MOST_DAYS, ge=1, le=MOST_DAYS)
    """How long an exception may last."""
    checks: tuple[Check, ...] = ()
    """Where several match a measurement, the last one decides, alone and as a whole."""

    @model_validator(mode="after")
    def _is_about_something_and_in_time(self) -> PolicyFile:
        if not self.checks and self.extends is None:
            raise ValueError("a policy needs checks, or a policy that it extends")
        if self.expires and self.approved_on and self.expires < self.approved_on:
            raise ValueError("the policy expired before it was approved")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of what the file says; comments and layout do not count."""
        content = _said(self, _DIGESTED) | {"checks": [_said(check, _DIGESTED_OF_CHECK) for check in self.checks]}
        for check in content["checks"]:
            if "problems" in check:  # left out where it is every kind of head, so that a new kind changes no digest
                check["problems"].sort()
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a policy file, for editors and other tools."""
    schema = PolicyFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _said(model: BaseModel, always: frozenset[str]) -> dict[str, Any]:
    content = model.model_dump(mode="json", by_alias=True)
    set_here = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {key: value for key, value in content.items() if key in always or key in set_here}
