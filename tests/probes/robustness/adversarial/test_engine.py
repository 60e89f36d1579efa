"""Attacks on a real network: killed and resumed, and screened in a narrower type."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Outcomes, to_line
from probes.model.cache import AnswerCache
from probes.model.load import load
from probes.robustness.adversarial.probe import Adversarial
from tests.tiny_models import SENTENCES, build

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("bert", tmp_path_factory.mktemp("attacked") / "bert", seed=3)


def data() -> list[Example]:
    draw = random.Random(0)
    words = sorted({word for sentence in SENTENCES for word in sentence.lower().split() if word.isalpha()})
    return [Example.of(" ".join(draw.sample(words, 9))) for _ in range(24)]


def records(model, *, recipes=("deepwordbug",), **parameters) -> list[object]:
    probe = Adversarial(recipes=recipes, budget=60, **parameters)
    found = probe.run(model, data(), Context(probe="robustness.adversarial"))
    return [
        [list(map(str, column)) for _, column in each.columns()] if isinstance(each, Outcomes) else to_line(each)
        for each in found
    ]


class Interrupted(BaseException):
    """Not to be caught by anybody."""


@pytest.mark.parametrize("at", [3, 12])
def test_killed_in_the_middle_and_resumed_gives_the_same_bytes(folder: Path, tmp_path: Path, at: int) -> None:
    def engine(name):
        return load(str(folder), device="cpu", budget=300, cache=AnswerCache.open(tmp_path / name))

    whole, cut, resumed = engine("whole"), engine("cut"), engine("cut")
    expected = records(whole)
    batches = iter(range(10_000))

    def stop(done: int, total: int) -> None:
        if next(batches) == at:
            raise Interrupted

    cut.on_progress = stop
    with pytest.raises(Interrupted):
        records(cut)
    assert records(resumed) == expected
    assert 0 < resumed.counters.computed < whole.counters.computed
    assert resumed.cache.warning == ""


def test_one_pool_or_two_find_the_same(folder: Path, monkeypatch) -> None:
    """But for the last bits of scores, which hang on what is asked together."""
    both = records(load(str(folder), device="cpu"))[-1]
    monkeypatch.setattr("probes.robustness.search.run.__kwdefaults__", {"pools": 1, "progress": None})
    assert records(load(str(folder), device="cpu"))[-1][:6] == both[:6]


def test_the_screen_answers_nearly_alike_and_keeps_its_answers_apart(folder: Path) -> None:
    model = load(str(folder), device="cpu")
    screen = model.screened()
    assert screen is not None
    texts = [example.text for example in data()]
    exact, near = model.classify(texts), screen.classify(texts)
    assert np.abs(exact.scores - near.scores).max() < 0.1
    assert not np.array_equal(exact.logits, near.logits)
    assert np.array_equal(model.classify(texts).logits, exact.logits)
    assert screen.scope != model.scope
    assert screen.screened() is None
    assert next(screen.forward.network.parameters()).dtype != next(model.forward.network.parameters()).dtype


def test_what_is_found_on_the_screen_is_confirmed(folder: Path) -> None:
    model = load(str(folder), device="cpu")
    texts = [example.text for example in data()]
    clean = dict(zip((e.id for e in data()), model.classify(texts).names(), strict=True))
    probe = Adversarial(recipes=("deepwordbug",), budget=60, screen=True)
    table = next(
        each for each in probe.run(model, data(), Context(probe="robustness.adversarial")) if isinstance(each, Outcomes)
    )
    assert 0 < sum(map(bool, table.changed)) < len(table)
    for item, after, changed in zip(table.example_id, table.after, table.changed, strict=True):
        if changed:
            assert after != clean[item]


def test_a_model_in_a_narrow_type_is_not_screened(folder: Path) -> None:
    assert load(str(folder), device="cpu", dtype="bfloat16").screened() is None
    assert replace(load(str(folder), device="cpu"), dtype="float16").screened() is None
