from __future__ import annotations

import json
import logging
from importlib.metadata import version

import numpy as np
import pytest

from probes.core.errors import ModelError
from probes.core.model import Capability
from probes.model.card import describe
from probes.model.load import load
from probes.model.quantised import described, parameters, refuse_unreadable
from tests.tiny_models import SENTENCES

pytestmark = pytest.mark.engine

NEWER = not version("transformers").startswith("4.")
NF4 = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
INT8 = {"quant_method": "bitsandbytes", "load_in_8bit": True, "bnb_4bit_quant_type": "fp4"}


def declare(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    return folder


def repack(folder, change):
    """Rewrite the matrices of the layers, as a quantiser stores them."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    packed = {name: rows for name, rows in weights.items() if "proj" not in name}
    for name, rows in weights.items():
        packed |= change(name, rows) if "proj" in name else {}
    save_file(packed, folder / "model.safetensors", metadata={"format": "pt"})


def four_bit(name, rows):
    """Shapes and types as bitsandbytes has them: two weights a byte, and the scales beside them."""
    import torch

    return {
        name: torch.zeros(rows.numel() // 2, 1, dtype=torch.uint8),
        f"{name}.absmax": torch.ones(max(1, rows.numel() // 64)),
        f"{name}.quant_map": torch.zeros(16),
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (NF4, "bitsandbytes 4-bit nf4"),
        (INT8, "bitsandbytes 8-bit"),
        ({"load_in_8bit": True}, "bitsandbytes 8-bit"),  # before the method was named
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq 4-bit"),
        ({"quant_method": "awq", "bits": 4, "version": "gemm"}, "awq 4-bit"),
        ({"quant_method": "compressed-tensors", "format": "pack-quantized"}, "compressed-tensors pack-quantized"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8"),
    ],
)
def test_how_it_is_called(settings, expected):
    assert described({"quantization_config": settings}) == expected


def test_a_plain_checkpoint_is_not_quantised(tiny):
    card = describe(str(tiny("llama", language=True)))
    assert (card.quantisation, card.notes) == (None, ())
    assert described({"quantization_config": None}) is None


def test_packed_weights_are_recognised_and_counted(own, tiny):
    folder = declare(own("llama", language=True), quantization_config=NF4)
    repack(folder, four_bit)
    card, plain = describe(str(folder)), describe(str(tiny("llama", language=True)))
    assert card.quantisation == "bitsandbytes 4-bit nf4"
    assert (card.parameters, card.dtype) == (plain.parameters, "float32")
    assert any("fewer bits" in note for note in card.notes)


def test_eight_bits_compute_in_float16_and_say_so(own):
    card = describe(str(declare(own("llama", language=True), quantization_config=INT8)))
    assert card.dtype == "float16"
    assert any("same batch" in note for note in card.notes)


def test_packed_weights_are_not_explained(own, tiny):
    assert Capability.ATTRIBUTE in describe(str(tiny("llama"))).capabilities
    assert Capability.ATTRIBUTE not in describe(str(declare(own("llama"), quantization_config=NF4))).capabilities


@pytest.mark.parametrize(
    ("name", "package"),
    [("bitsandbytes", "bitsandbytes"), ("gptq", "gptqmodel"), ("awq", "gptqmodel"), ("fp8", "accelerate")],
)
def test_what_is_missing_is_named(own, monkeypatch, name, package):
    monkeypatch.setattr("probes.model.quantised.find_spec", lambda name: None)
    folder = declare(own("llama", language=True), quantization_config={"quant_method": name, "bits": 4})
    with pytest.raises(ModelError, match=package) as error:
        load(str(folder), device="cpu")
    assert "pip install" in error.value.hint


def test_a_method_that_nothing_here_reads():
    with pytest.raises(ModelError, match="quantised by zip-bits") as error:
        refuse_unreadable({"quantization_config": {"quant_method": "zip-bits"}}, source="m")
    assert error.value.hint


@pytest.fixture
def fp8(own):
    """A tiny model with matrices in 8-bit floating point and one scale each."""
    pytest.importorskip("accelerate", reason="the extra `gguf` brings it")
    import torch

    def rounded(name, rows):
        scale = rows.float().abs().max() / 448  # the largest number of the type
        return {
            name: (rows.float() / scale).to(torch.float8_e4m3fn),
            name.replace(".weight", ".weight_scale_inv"): scale.reshape(1, 1),
        }

    folder = own("llama", language=True, dtype="bfloat16")
    repack(folder, rounded)
    return declare(folder, quantization_config={"quant_method": "fp8", "activation_scheme": "dynamic"})


@pytest.mark.skipif(not NEWER, reason="transformers 4 reads fp8 on a GPU only")
def test_fp8_answers_as_its_weights_say(fp8):
    """Off a GPU transformers 5 multiplies the scales in, so that any machine can read it."""
    import torch
    from safetensors.torch import load_file, save_file

    found = load(str(fp8), device="cpu").score(SENTENCES[:2])
    weights = load_file(fp8 / "model.safetensors")
    plain = declare(fp8, quantization_config=None)
    back = {
        name: (rows.float() * weights[name.replace(".weight", ".weight_scale_inv")]).to(torch.bfloat16)
        if rows.dtype == torch.float8_e4m3fn
        else rows
        for name, rows in weights.items()
        if "scale" not in name
    }
    save_file(back, plain / "model.safetensors", metadata={"format": "pt"})
    expected = load(str(plain), device="cpu").score(SENTENCES[:2])
    np.testing.assert_allclose(found.totals, expected.totals, rtol=2e-3)


@pytest.mark.skipif(NEWER, reason="transformers 5 reads fp8 everywhere")
def test_fp8_without_a_gpu_says_that_it_needs_one(fp8):
    with pytest.raises(ModelError, match="only a GPU reads") as error:
        load(str(fp8), device="cpu")
    assert "--device cuda" in error.value.hint


def test_weights_are_counted_without_a_word_of_transformers():
    """A configuration of BERT as a writer is made, and refused later, where the user is told."""
    from transformers import BertConfig

    small = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    said = []
    listener = logging.Handler(level=logging.WARNING)
    listener.emit = said.append
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.addHandler(listener)
    try:
        assert parameters(small, "BertLMHeadModel")
    finally:
        logger.removeHandler(listener)
    assert said == []
    assert logger.level == level
