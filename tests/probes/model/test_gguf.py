from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from probes.core.errors import AuditError, ModelError, UsageError
from probes.model.card import describe
from probes.model.load import load
from tests.tiny_models import CHAT, SENTENCES

gguf = pytest.importorskip("gguf", reason="the extra `gguf` is not installed")

pytestmark = pytest.mark.engine

HEADS, KEYS, LAYERS = 4, 2, 2


def permuted(rows, heads):
    """The order in which llama.cpp keeps the rows of queries and keys."""
    return rows.reshape(heads, 2, len(rows) // heads // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def tensors(weights):
    """A Llama's weights by their names in GGUF."""
    yield "token_embd.weight", weights["model.embed_tokens.weight"]
    yield "output_norm.weight", weights["model.norm.weight"]
    yield "output.weight", weights["lm_head.weight"]
    parts = {
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    }  # fmt: skip
    for layer in range(LAYERS):
        for theirs, name in parts.items():
            rows = weights[f"model.layers.{layer}.{theirs}.weight"]
            heads = {"attn_q": HEADS, "attn_k": KEYS}.get(name)
            yield f"blk.{layer}.{name}.weight", permuted(rows, heads) if heads else rows


def convert(folder: Path, path: Path, *, kind: str = "F32", chat: str | None = None, licence: str = "") -> Path:
    """Write a tiny Llama as a GGUF file, its matrices as `kind`."""
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]
    names = sorted(vocabulary["vocab"], key=vocabulary["vocab"].get)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEYS)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // HEADS)
    writer.add_vocab_size(len(names))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(names)
    writer.add_token_types([3 if name in ("<unk>", "<s>", "</s>") else 1 for name in names])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in vocabulary["merges"]])
    writer.add_bos_token_id(names.index("<s>"))
    writer.add_eos_token_id(names.index("</s>"))
    writer.add_unk_token_id(names.index("<unk>"))
    writer.add_add_bos_token(True)
    if chat:
        writer.add_chat_template(chat)
    if licence:
        writer.add_license(licence)
    rounding = gguf.GGMLQuantizationType[kind]
    for name, rows in tensors(load_file(folder / "model.safetensors")):
        if rows.ndim == 1 or kind == "F32":
            writer.add_tensor(name, rows)
        else:
            writer.add_tensor(name, gguf.quantize(rows, rounding), raw_dtype=rounding)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def llama(tiny):
    return tiny("llama", language=True, config={"intermediate_size": 64, "tie_word_embeddings": False})


@pytest.fixture(scope="module")
def plain(llama, tmp_path_factory):
    return convert(llama, tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture(scope="module")
def rounded(llama, tmp_path_factory):
    return convert(llama, tmp_path_factory.mktemp("gguf") / "tiny-q8.gguf", kind="Q8_0", chat=CHAT)


def test_the_card_of_a_file(plain, llama):
    card, whole = describe(str(plain)), describe(str(llama))
    assert (card.name, card.architecture, card.task) == ("tiny", "LlamaForCausalLM", "text-generation")
    assert (card.weights_format, card.quantisation, card.dtype, card.chat) == ("gguf", None, "float32", False)
    assert (card.parameters, card.max_length) == (whole.parameters, whole.max_length)
    assert [path for path, _ in card.files] == ["tiny.gguf"]


def test_rounded_weights_are_named(rounded):
    card = describe(str(rounded))
    assert (card.quantisation, card.dtype, card.chat) == ("Q8_0", "float32", True)
    assert any("GGUF" in note and "Q8_0" in note for note in card.notes)


def test_it_answers_as_the_model_it_was_made_from(plain, llama):
    texts = SENTENCES[:3]
    there, here = load(str(plain), device="cpu"), load(str(llama), device="cpu")
    np.testing.assert_array_equal(there.token_counts(texts)[0], here.token_counts(texts)[0])
    np.testing.assert_allclose(there.score(texts).totals, here.score(texts).totals, atol=1e-3)
    assert there.generate(texts[:1]).texts == here.generate(texts[:1]).texts


def test_rounded_weights_are_used_as_they_are(rounded, llama, tmp_path):
    from safetensors.numpy import load_file, save_file

    kind = gguf.GGMLQuantizationType.Q8_0
    folder = Path(shutil.copytree(llama, tmp_path / "same"))
    weights = {
        name: rows if rows.ndim == 1 else gguf.dequantize(gguf.quantize(rows, kind), kind)
        for name, rows in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    found = load(str(rounded), device="cpu").score(SENTENCES[:3]).totals
    np.testing.assert_allclose(found, load(str(folder), device="cpu").score(SENTENCES[:3]).totals, atol=1e-3)
    assert np.abs(found - load(str(llama), device="cpu").score(SENTENCES[:3]).totals).max() > 5e-3


def test_loading_shows_no_progress_bar(rounded, capfd):
    load(str(rounded), device="cpu")
    assert "GGUF" not in capfd.readouterr().err


def test_a_folder_with_one_file_is_that_file(plain):
    assert describe(str(plain.parent)).fingerprint == describe(str(plain)).fingerprint


def test_a_folder_with_several_files(plain, tmp_path):
    for name in ("a.gguf", "b.gguf"):
        shutil.copy(plain, tmp_path / name)
    with pytest.raises(UsageError, match=r"2 GGUF files: a\.gguf, b\.gguf"):
        describe(str(tmp_path))


def test_a_file_that_changed(plain, rounded, tmp_path):
    path = Path(shutil.copy(plain, tmp_path / "tiny.gguf"))
    card = describe(str(path))
    shutil.copy(rounded, path)
    with pytest.raises(AuditError, match="have changed"):
        load(card, device="cpu")


@pytest.mark.parametrize("keep", [0, 10, 500, -2000])
def test_damaged_files(plain, tmp_path, keep):
    path = tmp_path / "cut.gguf"
    path.write_bytes(plain.read_bytes()[:keep])
    with pytest.raises(ModelError, match="damaged") as error:
        describe(str(path))
    assert error.value.hint


def test_an_architecture_that_transformers_cannot_read(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "odd.gguf", "from-the-future")
    writer.add_tensor("a", np.zeros((2, 2), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match="does not load"):
        describe(str(tmp_path / "odd.gguf"))


@pytest.mark.parametrize("package", ["gguf", "accelerate"])
def test_without_a_package(plain, monkeypatch, package):
    monkeypatch.setattr("probes.model.gguf.find_spec", lambda name: None if name == package else "here")
    monkeypatch.setattr("probes.model.parts._header", lambda file, *_: pytest.fail("kept"), raising=True)
    from probes.model.gguf import read_gguf

    with pytest.raises(ModelError, match=f"needs the {package} package") as error:
        read_gguf(plain)
    assert "[gguf]" in error.value.hint


def test_a_file_has_no_revision(plain):
    with pytest.raises(UsageError, match="no revisions"):
        describe(str(plain), revision="main")
