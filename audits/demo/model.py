"""The embedded default, `--model demo`: a genuine small sentiment classifier, fine-tuned here in about two minutes.

It reads film reviews (MiniLM, 23 M parameters) and comes with sentences of the same kind that it has not seen, and with
sentences of three other kinds. Everything is made from packages of the package index, in the user's cache folder:

    demo-<version>/
      sources/               the corpus as fetched
      data/*.jsonl           movie (held out), tweets, amazon, nyt: text, label, domain, rating
      training.safetensors   while it trains: a killed build continues from here
      demo-sentiment/        an ordinary Hugging Face folder
      ready.json             written last: settings, versions, accuracy and the digest of every file
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import platformdirs

from audits.demo.ready import distribution_version, is_ready, mark_ready
from audits.demo.sources import CORPUS, ENCODER, corpus_archive, encoder_folder
from probes.core.errors import ModelError, OutputError
from probes.core.rng import derive
from probes.core.run_folder import write_atomic
from probes.data.vader import LABELS, Rated, read_ratings, split_by_content

if TYPE_CHECKING:
    from probes.model.finetune import Step

LOCATION = "RESPONSIBLE_AUDIT_CACHE"
MODEL = "demo-sentiment"
IN_DOMAIN = "movie"
SECONDS_BETWEEN_NEWS = 10.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPaths:
    """What was built.

    Attributes:
        model: folder of the classifier.
        data: held-out sentences of the kind it was trained on.
        domains: name -> sentences of another kind.
    """

    model: Path
    data: Path
    domains: Mapping[str, Path]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides the result. `training` are fields of `probes.model.finetune.Recipe` other than their defaults."""

    train_on: int = 4096
    check_on: int = 1000
    least_accuracy: float = 0.8
    training: Mapping[str, float] = field(default_factory=lambda: {"learning_rate": 2e-4, "frozen_layers": 2})


def demo_folder() -> Path:
    """Where the demo lives: in RESPONSIBLE_AUDIT_CACHE, else in the user's cache folder."""
    cache = os.environ.get(LOCATION) or platformdirs.user_cache_dir("responsible-audit")
    return Path(cache).expanduser() / f"demo-{distribution_version('responsible-audit')}"


def build_demo(*, progress: Progress = lambda message: None, settings: Settings | None = None) -> DemoPaths:
    """The demo, built unless it is there and whole.

    Args:
        progress: is told one line at a time what is being done.

    Raises:
        UsageError: the encoder's package or pip is missing, or there is no network the first time.
        IntegrityError: a source is not the pinned one.
        ModelError: the training went wrong.
        OutputError: the cache folder cannot be written.
    """
    folder, settings = demo_folder(), settings or Settings()
    try:
        if not is_ready(folder, identity=_identity(settings)):
            _build(folder, settings, progress)
    except OSError as error:
        raise unwritable(folder, error, megabytes=300) from error
    return _paths(folder)


def unwritable(folder: Path, error: OSError, *, megabytes: int) -> OutputError:
    """That a demo which takes so much room cannot be written."""
    return OutputError(
        f"cannot write the demo to {folder}: {error.strerror or error}",
        hint=f"free about {megabytes} MB, or set {LOCATION} to another folder",
    )


def _paths(folder: Path) -> DemoPaths:
    from_domain = {name: folder / "data" / f"{name}.jsonl" for name in ("tweets", "amazon", "nyt")}
    return DemoPaths(model=folder / MODEL, data=folder / "data" / f"{IN_DOMAIN}.jsonl", domains=from_domain)


def _build(folder: Path, settings: Settings, progress: Progress) -> None:
    encoder = encoder_folder()
    ratings = read_ratings(corpus_archive(folder / "sources", progress=progress))
    seen, held_out = split_by_content(ratings[IN_DOMAIN])
    for domain, sentences in {**ratings, IN_DOMAIN: held_out}.items():
        _write_data(folder / "data" / f"{domain}.jsonl", sentences, domain=domain)
    # The order of the file tells easy from hard, so neither part may be its beginning.
    training = sorted(seen, key=_at_random)[: settings.train_on]
    checked = sorted(held_out, key=_at_random)[: settings.check_on]
    accuracy = _train(folder, encoder, training, checked, settings=settings, progress=progress)
    replace_folder(folder / f"{MODEL}.partial", folder / MODEL)
    (folder / "training.safetensors").unlink(missing_ok=True)
    mark_ready(folder, parts=(MODEL, "data"), identity=_identity(settings), accuracy=accuracy)
    progress(f"the demo model is ready: {accuracy:.1%} right on {len(checked)} film reviews it has not seen")


def _at_random(sentence: Rated) -> int:
    return derive(0, "demo", sentence.text)


def _train(
    folder: Path,
    encoder: Path,
    training: Sequence[Rated],
    checked: Sequence[Rated],
    *,
    settings: Settings,
    progress: Progress,
) -> float:
    progress(f"fine-tuning the demo model on {len(training)} film reviews: one to three minutes, only the first time")
    from probes.model.finetune import Recipe, finetune, predict

    unfinished = folder / f"{MODEL}.partial"
    shutil.rmtree(unfinished, ignore_errors=True)
    recipe = Recipe(**settings.training)  # type: ignore[arg-type]  # whole numbers come as such
    finetune(
        encoder,
        [sentence.text for sentence in training],
        [sentence.label for sentence in training],
        labels=LABELS,
        out=unfinished,
        recipe=recipe,
        checkpoint=folder / "training.safetensors",
        progress=_Announcer(progress),
    )
    progress(f"checking it on {len(checked)} film reviews it has not seen")
    answers = predict(unfinished, [sentence.text for sentence in checked])
    right = sum(answer == sentence.label for answer, sentence in zip(answers, checked, strict=True))
    accuracy = right / len(checked)
    if accuracy < settings.least_accuracy:
        raise ModelError(
            f"the demo model got only {accuracy:.1%} right, less than the {settings.least_accuracy:.0%} it needs",
            hint=f"delete {folder} and try again; report it with the output of `audit doctor` if it stays",
        )
    _write_card(unfinished, recipe=asdict(recipe), training=len(training), checked=len(checked), accuracy=accuracy)
    return accuracy


class _Announcer:
    """One line every few seconds, with the time left judged by the steps since the first."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.began = self.said = 0.0
        self.first: int | None = None

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if self.first is None:
            self.began, self.said, self.first = now, now, step.done
            if step.done > 1:
                self.progress(f"continuing an earlier build at step {step.done} of {step.total}")
        elif now - self.said >= SECONDS_BETWEEN_NEWS:
            left = (step.total - step.done) * (now - self.began) / (step.done - self.first)
            self.progress(f"step {step.done} of {step.total}, about {left:.0f} s left")
            self.said = now


def _write_data(path: Path, sentences: Sequence[Rated], *, domain: str) -> None:
    rows = [{"text": s.text, "label": s.label, "domain": domain, "rating": s.rating} for s in sentences]
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


def replace_folder(new: Path, old: Path) -> None:
    """Rename a folder to the name of an older one."""
    shutil.rmtree(old, ignore_errors=True)  # a folder cannot be renamed over one that holds files
    new.rename(old)


def _identity(settings: Settings) -> dict[str, Any]:
    return {
        "model": MODEL,
        "encoder": ENCODER,
        "corpus": CORPUS.requirement,
        "corpus_sha256": CORPUS.sha256,
        "settings": asdict(settings),
    }


def _write_card(folder: Path, *, recipe: Mapping[str, Any], training: int, checked: int, accuracy: float) -> None:
    settings = "\n".join(f"- {name}: {value}" for name, value in recipe.items())
    text = Template(CARD).substitute(
        training=training, checked=checked, accuracy=f"{accuracy:.1%}", settings=settings, corpus=CORPUS.requirement
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


CARD = """---
license: apache-2.0
language: en
pipeline_tag: text-classification
base_model: sentence-transformers/all-MiniLM-L6-v2
---
# Demo sentiment classifier

Says whether an English sentence about a film is negative or positive. Built on the spot by `responsible-audit`, as
something to audit; it is not meant for use.

## Data

$corpus, "movie" sentences (Hutto and Gilbert, 2014; MIT licence): snippets of film reviews, each rated by some twenty
people from -4 to +4. Mean ratings within half a point of zero are left out; the sign of the others is the label.
Trained on $training sentences. A fifth of all, chosen by a hash of their text, was held out.

## Accuracy

$accuracy on $checked of the held-out sentences. On tweets, product reviews and newspaper editorials it is lower.

## Training

AdamW from all-MiniLM-L6-v2 (Apache-2.0), embeddings frozen:

$settings

## Limits

Two labels only: it has no way to say neutral. English, short, film reviews of the early 2000s. A small general encoder
is known to pick up associations between words for groups of people and sentiment; nothing was done against that.
"""
