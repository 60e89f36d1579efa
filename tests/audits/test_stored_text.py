"""How much text a run keeps: whole audits of a tiny model, every file searched."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from audits.stored_text import StoreText, stored, stored_error, stored_outcomes
from probes.core.errors import UsageError
from probes.core.examples import content_hash
from probes.core.records import Evidence, Outcomes, Shown
from tests import tiny_models
from tests.audits.command_line import audit

BROKEN = '''
from dataclasses import dataclass
from typing import ClassVar
from probes import ProbeDoc, ProbeInfo

@dataclass(frozen=True, kw_only=True)
class Breaks:
    """What is left of a text when a probe breaks on it?

    Measures: nothing at all, because it breaks with a message that quotes the first text it was given.
    Why it matters: messages of errors are written by libraries and often quote what they could not read.
    Method: it raises an error when it is run.
    Limits: it is a plug-in of a test and shows nothing about any model.
    References: none are needed for a plug-in of a test.
    """

    info: ClassVar[ProbeInfo]

    def run(self, model, data, ctx):
        raise ValueError(f"cannot read {data[0].text!r}")
        yield

Breaks.info = ProbeInfo(id="acme.broken", version=1, risk="acme", title="Breaks", doc=ProbeDoc.parse(Breaks.__doc__))
PROBES = (Breaks,)
'''


def texts() -> list[str]:
    """Each with a name, an address and a number of its own."""
    words = ("good", "awful", "fine", "dull", "lovely", "poor")
    return [
        f"Dear mrs quibblewick{n} the {word} film of wednesday was sent to jane{n}@mail.example after we don't know"
        for n, word in enumerate(words * 2)
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    tiny_models.build("bert", folder / "model", labels=("negative", "positive"))
    (folder / "broken.py").write_text(BROKEN, encoding="utf-8")
    rows = [
        {"text": text, "label": ("positive", "negative")[n % 2], "channel": ("mail", "chat")[n % 2],
         "author": f"author{n // 2}@people.example"}
        for n, text in enumerate(texts())
    ]  # fmt: skip
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def audited(place: Path, how: str, *flags: str) -> Path:
    out = place / how
    done = audit(
        "run", "--model", "model", "--data", "data.jsonl", "--store-text", how,
        "--cluster-column", "author", "--group-column", "channel", "--out", out, *flags, cwd=place,
    )  # fmt: skip
    assert done.returncode in (0, 1, 3, 4), done.stderr
    return out


def contents(folder: Path) -> dict[str, str]:
    """Every file as text; of Parquet, the values of all columns."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            found[str(path)] = json.dumps(table.to_pydict(), default=str)
        else:
            found[str(path)] = path.read_bytes().decode("utf-8", errors="replace")
    return found


def phrases(text: str, length: int = 4) -> set[str]:
    words = text.lower().split()
    return {" ".join(words[i : i + length]) for i in range(len(words) - length + 1)}


SOME = ("--only", "robustness.*typos", "--only", "robustness.worst_case", "--only", "explanation.examples",
        "--only", "bias.groups", "--only", "performance.*", "--only", "acme.*")  # fmt: skip

MORE = (*SOME, "--only", "explanation.*", "--only", "bias.*", "--only", "toxicity.*")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "flags"), [("digest", MORE), ("none", SOME), ("full", SOME)], ids=["digest", "none", "full"]
)
def test_a_run_holds_no_text_unless_it_is_asked_to(place, how, flags):
    files = contents(audited(place, how, "--plugin", "broken.py", *flags))
    assert sum(name.endswith(".parquet") for name in files) >= 4
    assert any(name.endswith(".failed.jsonl") for name in files), "the probe that quotes a text must have broken"
    wanted = {phrase for text in texts() for phrase in phrases(text)} | {"quibblewick", "@mail.example", "@people."}
    found = {(name, phrase) for name, text in files.items() for phrase in wanted if phrase in text.lower()}
    if how == "full":
        assert {phrase for _, phrase in found} >= {"quibblewick", "the good film of", "@people."}
    else:
        assert found == set()
        digest = hashlib.sha256(texts()[0].encode()).hexdigest()
        assert any(digest in text for text in files.values()) == (how == "digest")


@pytest.mark.slow
def test_the_cache_of_answers_holds_hashes_and_numbers(place):
    audited(place, "full", "--only", "performance.quality")
    (cache,) = (place / "cache").rglob("*.sqlite")
    with sqlite3.connect(cache) as connection:
        rows = connection.execute("SELECT key, ask, logits FROM answers").fetchall()
    assert len(rows) >= len(texts())
    assert all(len(key) == 16 and isinstance(ask, int) and len(logits) % 4 == 0 for key, ask, logits in rows)
    for path in (place / "cache").rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        for word in (b"quibblewick", b"wednesday", b"people.example"):
            assert word not in content, path.name


def outcomes(*clusters: str) -> Outcomes:
    same = ["x"] * len(clusters)
    none = [None] * len(clusters)
    return Outcomes(example_id=same, cluster=clusters, variant=same, after=same, before=none, gold=none, correct=none,
                    changed=none, score=none)  # fmt: skip


@pytest.mark.parametrize("how", [StoreText.DIGEST, StoreText.NONE])
def test_what_belongs_together_still_does(how):
    kept = stored_outcomes(outcomes("ann@x.example", "bob@x.example", "ann@x.example"), how)
    assert kept.cluster == [content_hash("ann@x.example"), content_hash("bob@x.example"), content_hash("ann@x.example")]
    assert stored_outcomes(outcomes("ann"), StoreText.FULL) == outcomes("ann")


def failure(error: Exception) -> Exception:
    try:
        try:
            raise KeyError("my secret text")
        except KeyError:
            raise error from None
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    "error", [ValueError("my secret text\n  on two lines"), UsageError("my secret text", hint="none")]
)
def test_a_message_may_quote_a_text_and_a_frame_does_not(error):
    told, trace = stored_error(failure(error), StoreText.FULL)
    assert "my secret text" in told
    assert "my secret text" in trace
    told, trace = stored_error(failure(error), StoreText.NONE)
    assert told.startswith(type(error).__name__)
    assert "secret" not in told + trace.replace('raise KeyError("my secret text")', "")
    assert "test_stored_text.py" in trace


@pytest.mark.parametrize("how", [StoreText.DIGEST, StoreText.NONE])
def test_answers_that_are_parts_of_the_text_go_with_it(how):
    shown = Shown(texts=("Who came?", "Jane Quibblewick came."), answer="Jane Quibblewick")
    case = Evidence(example_id="1", chosen="random", shown=(shown,), gold="Quibblewick")
    assert "Quibblewick" not in stored(case, how, quotes=True).model_dump_json()
    assert stored(case, StoreText.FULL, quotes=True) == case
