"""An embedding is computed once for all probes that ask for it, on a real network."""

from __future__ import annotations

import random

import pytest

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.model.load import load
from probes.shift.distance.probe import Distance
from probes.shift.ood.probe import OutOfDistribution
from probes.shift.slices.probe import NaturalSlices
from tests import tiny_models

pytestmark = pytest.mark.engine

WORDS = "tea film story dull superb slow great awful long lovely night music plain weak warm"


def texts(n: int, seed: int, extra: str = "") -> list[Example]:
    draw = random.Random(seed)
    made = [" ".join(draw.choices(WORDS.split(), k=draw.randint(4, 12))) + f" {extra}{number}" for number in range(n)]
    return [Example.of(text, gold=draw.choice(["negative", "positive"])) for text in made]


def test_each_text_is_embedded_once(tmp_path):
    model = load(str(tiny_models.build("bert", tmp_path / "model", labels=("negative", "positive"))), device="cpu")
    home, tweets = texts(160, 0), [each.within("tweets") for each in texts(70, 1, "tweet ")]
    model.classify([each.text for each in (*home, *tweets)])
    model.take_counters()
    computed = []
    for probe, data in (
        (Distance(), [*home, *tweets]),
        (OutOfDistribution(), [*tweets, *home]),
        (NaturalSlices(), home),
    ):
        records = list(probe.run(model, data, Context(probe=probe.info.id)))
        assert any(isinstance(record, Measurement) for record in records)
        computed.append(model.take_counters().computed)
    assert computed == [230, 0, 0]
