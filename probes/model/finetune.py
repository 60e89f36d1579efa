"""Fine-tune a small encoder into a classifier: one plain training loop that can be killed and resumed.

Nothing depends on a global random state: the order of the batches comes from the seed and the epoch, the dropout masks
from the seed and the step. So a resumed training gives the same weights as an uninterrupted one on the same machine.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from probes.core.rng import derive, generator

POOL = 32
"""Batches that are filled together from one shuffled stretch of the data, sorted by length."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the weights, besides the encoder and the data.

    Attributes:
        warmup: share of the steps over which the learning rate rises; it then falls linearly to zero.
        frozen_layers: how many of the lowest layers stay as they are; the embeddings always do.
        max_length: tokens a text is cut to in training.
        threads: of the CPU. They decide the order in which floats are summed, so the last digit of every weight; and on
            a busy machine two that wait for each other are slower than one alone.
    """

    epochs: int = 1
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    frozen_layers: int = 0
    max_length: int = 128
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Reported after every optimizer step. `loss` is the mean over this batch."""

    done: int
    total: int
    loss: float


def finetune(
    encoder: Path,
    texts: Sequence[str],
    golds: Sequence[str],
    *,
    labels: Sequence[str],
    out: Path,
    recipe: Recipe,
    checkpoint: Path,
    checkpoint_seconds: float = 30.0,
    progress: Callable[[Step], None] = lambda step: None,
) -> None:
    """Train on `texts` and save model and tokenizer as an ordinary Hugging Face folder.

    Args:
        encoder: folder with an encoder's safetensors weights, config and tokenizer; a head that does not fit
            is replaced.
        golds: the label name of each text.
        out: where the result goes; written file by file, so pass a folder that nobody reads yet.
        checkpoint: one file, written every `checkpoint_seconds` and at the end, and continued from when it belongs to
            this very training; the caller removes it once the result is safe.
    """
    index = {label: column for column, label in enumerate(labels)}
    tokenizer = _tokenizer(encoder)
    ids = tokenizer(list(texts), truncation=True, max_length=recipe.max_length)["input_ids"]
    with _reproducible(recipe), _quiet():
        model = _classifier(encoder, labels, recipe)
        trainer = _Trainer(model, recipe, total=recipe.epochs * -(-len(ids) // recipe.batch_size))
        key = _key(encoder, texts, golds, recipe)
        trainer.resume(checkpoint, key=key)
        saved = time.monotonic()
        for batch in trainer.remaining([len(item) for item in ids]):
            padded = tokenizer.pad({"input_ids": [ids[i] for i in batch]}, return_tensors="pt")
            loss = trainer.step(padded, torch.tensor([index[golds[i]] for i in batch]))
            progress(Step(trainer.done, trainer.total, loss))
            if time.monotonic() - saved >= checkpoint_seconds:
                trainer.save(checkpoint, key=key)
                saved = time.monotonic()
        trainer.save(checkpoint, key=key)
        model.eval().save_pretrained(out)
        _without_last_use(tokenizer).save_pretrained(out)


def predict(folder: Path, texts: Sequence[str], *, batch_size: int = 64, max_length: int = 512) -> list[str]:
    """The label each text gets from the classifier in `folder`, in the order asked."""
    tokenizer = _tokenizer(folder)
    ids = tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found = [""] * len(ids)
    with _quiet(), torch.inference_mode():
        model = _load(folder).eval()
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            padded = tokenizer.pad({"input_ids": [ids[i] for i in batch]}, return_tensors="pt")
            for i, top in zip(batch, model(**padded).logits.argmax(dim=1).tolist(), strict=True):
                found[i] = model.config.id2label[top]
    return found


def length_bucketed(lengths: Sequence[int], *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Every index once, in batches of texts of similar length, in an order that depends on seed and epoch alone."""
    draw = generator(seed, "batches", epoch)
    shuffled = draw.permutation(len(lengths)).tolist()
    pools = [shuffled[start : start + POOL * batch_size] for start in range(0, len(shuffled), POOL * batch_size)]
    by_length = [i for pool in pools for i in sorted(pool, key=lambda i: lengths[i])]
    batches = [by_length[start : start + batch_size] for start in range(0, len(by_length), batch_size)]
    return [batches[i] for i in draw.permutation(len(batches))]


def learning_rate(step: int, *, total: int, recipe: Recipe) -> float:
    """Rate of step 0, 1, ..., total - 1: a linear rise, then a linear fall to zero."""
    rise = max(1, round(recipe.warmup * total))
    share = (step + 1) / rise if step < rise else (total - step) / max(1, total - rise)
    return recipe.learning_rate * share


class _Trainer:
    def __init__(self, model: Any, recipe: Recipe, *, total: int) -> None:
        self.model = model.train()
        self.recipe = recipe
        self.total = total
        self.done = 0
        self.named = {name: value for name, value in model.named_parameters() if value.requires_grad}
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [v for v in self.named.values() if v.ndim > 1], "weight_decay": recipe.weight_decay},
                {"params": [v for v in self.named.values() if v.ndim <= 1], "weight_decay": 0.0},
            ]
        )

    def remaining(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        batches = [
            batch
            for epoch in range(self.recipe.epochs)
            for batch in length_bucketed(lengths, batch_size=self.recipe.batch_size, seed=self.recipe.seed, epoch=epoch)
        ]
        yield from batches[self.done :]

    def step(self, inputs: Any, gold: torch.Tensor) -> float:
        torch.manual_seed(derive(self.recipe.seed, "dropout", self.done) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.done, total=self.total, recipe=self.recipe)
        loss = cross_entropy(self.model(**inputs).logits, gold)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        torch.nn.utils.clip_grad_norm_(list(self.named.values()), self.recipe.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.done += 1
        return float(loss.detach())

    def save(self, path: Path, *, key: str) -> None:
        """One file with weights, moments and, in its header, how far we are: it is whole or it is not there."""
        tensors = {f"weight/{name}": value.detach() for name, value in self.named.items()}
        for name, value in self.named.items():
            tensors |= {f"{kind}/{name}": moment for kind, moment in self.optimizer.state[value].items()}
        partial = path.with_name(path.name + ".partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, partial, metadata={"key": key, "done": str(self.done)})
        partial.replace(path)

    def resume(self, path: Path, *, key: str) -> None:
        """Continue from `path` when it is a checkpoint of this very training; a damaged or foreign one is ignored."""
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("key") != key:
                    return
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (FileNotFoundError, SafetensorError):
            return
        for name, value in self.named.items():
            value.data.copy_(tensors[f"weight/{name}"])
            self.optimizer.state[value] = {
                kind: tensors[f"{kind}/{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")
            }
        self.done = int(header["done"])


def _classifier(encoder: Path, labels: Sequence[str], recipe: Recipe) -> Any:
    names = dict(enumerate(labels))
    model = _load(
        encoder,
        num_labels=len(labels),
        id2label=names,
        label2id={label: column for column, label in names.items()},
        ignore_mismatched_sizes=True,
    )
    model.base_model.embeddings.requires_grad_(False)
    for layer in model.base_model.encoder.layer[: recipe.frozen_layers]:
        layer.requires_grad_(False)
    return model


def _load(folder: Path, **settings: Any) -> Any:
    return AutoModelForSequenceClassification.from_pretrained(
        folder,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        **settings,
    )


def _tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def _without_last_use(tokenizer: Any) -> Any:
    """The file format keeps the cut and the padding of the last call, which are no part of the model."""
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    for name in ("max_length", "stride", "truncation_strategy", "pad_to_multiple_of", "is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(name, None)
    return tokenizer


def _key(encoder: Path, texts: Sequence[str], golds: Sequence[str], recipe: Recipe) -> str:
    digest = hashlib.sha256((encoder / "model.safetensors").read_bytes())
    digest.update(json.dumps([list(texts), list(golds), asdict(recipe), torch.__version__]).encode())
    return digest.hexdigest()


@contextmanager
def _reproducible(recipe: Recipe) -> Iterator[None]:
    deterministic, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.set_num_threads(recipe.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's own bars and its remark that the head is new, which here is the point."""
    level, bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bar:
            transformers_logging.enable_progress_bar()
