from __future__ import annotations

import json
import os
import pickle

import pytest

from probes.core.errors import ModelError
from probes.model.card import describe
from probes.model.checkpoint import read_weights

pytestmark = pytest.mark.engine


@pytest.fixture
def pickled(own):
    import torch
    from safetensors.torch import load_file

    folder = own("bert")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


@pytest.fixture
def sharded(own):
    from transformers import AutoModelForSequenceClassification

    folder = own("bert")
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    network.save_pretrained(folder, max_shard_size="40KB")
    return folder


def test_pickles_are_refused_unless_allowed(pickled):
    with pytest.raises(ModelError, match="pickled weights only") as error:
        describe(str(pickled))
    assert "--allow-pickle" in error.value.hint
    card = describe(str(pickled), allow_pickle=True)
    assert card.weights_format == "pickle"
    assert "pytorch_model.bin" in dict(card.files)


def test_pickles_are_counted_like_safetensors(pickled, tiny):
    card = describe(str(pickled), allow_pickle=True)
    expected = describe(str(tiny("bert")))
    assert (card.parameters, card.dtype) == (expected.parameters, expected.dtype)


def test_safetensors_win_over_pickles(own):
    folder = own("bert")
    (folder / "pytorch_model.bin").write_bytes(b"never opened")
    assert describe(str(folder), allow_pickle=True).weights_format == "safetensors"


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_hostile_pickle_is_refused_and_not_run(pickled, tmp_path):
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps(Hostile(str(tmp_path / "proof"))))
    with pytest.raises(ModelError, match="more than weights"):
        describe(str(pickled), allow_pickle=True)
    assert not (tmp_path / "proof").exists()


def test_shards_are_followed(sharded, tiny):
    weights = read_weights(sharded, allow_pickle=False)
    assert len(weights.files) > 2
    assert weights.files[0].name == "model.safetensors.index.json"
    assert weights.parameters == describe(str(tiny("bert"))).parameters


def test_missing_shard(sharded):
    shard = sorted(sharded.glob("model-*.safetensors"))[0]
    shard.unlink()
    with pytest.raises(ModelError, match=shard.name):
        describe(str(sharded))


def test_index_without_shards(sharded):
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {}}))
    with pytest.raises(ModelError, match="all"):
        describe(str(sharded))


@pytest.mark.parametrize("keep", [0, 4, 100, 5000, -1])
def test_truncated_safetensors(own, keep):
    path = own("bert") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="damaged"):
        describe(str(path.parent))


def test_garbage_safetensors(own):
    path = own("bert") / "model.safetensors"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(ModelError, match="damaged"):
        describe(str(path.parent))
