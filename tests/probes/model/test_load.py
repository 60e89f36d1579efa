from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np
import pytest
import torch

from probes.core.answers import ProblemType
from probes.core.errors import IntegrityError, ModelError, UsageError
from probes.model.card import describe
from probes.model.load import load
from tests.probes.model.conftest import TEXTS, reference
from tests.tiny_models import SENTENCES, build, save_tokenizer

pytestmark = pytest.mark.engine

TRANSFORMERS = int(version("transformers").partition(".")[0])


def edit(path, **settings):
    content = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))


def test_card_and_source_load_alike(tiny):
    folder = str(tiny("bert"))
    card = describe(folder)
    a, b = load(card), load(folder)
    assert a.card == b.card == card
    assert np.array_equal(a.classify(TEXTS).logits, b.classify(TEXTS).logits)
    assert (a.device, a.dtype) == ("cpu", "float32") or torch.cuda.is_available()
    assert a.device_name


def test_changed_files_are_noticed(own):
    folder = own("bert")
    card = describe(str(folder))
    edit(folder / "config.json", layer_norm_eps=0.1)
    with pytest.raises(IntegrityError):
        load(card)


@pytest.mark.parametrize("language", [True, False])
def test_a_language_model_is_given_no_token_types(tmp_path, language):
    """As its pipeline gives none; GPT-2 as a classifier gets those that its tokenizer makes."""
    folder = build("gpt2", tmp_path / "gpt2", language=language)
    edit(folder / "tokenizer_config.json", model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    assert load(str(folder), device="cpu").encoder.token_types is not language


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_dtype_is_the_checkpoints_own(tiny, dtype):
    model = load(str(tiny("bert", dtype=dtype)), device="cpu")
    assert model.dtype == dtype
    assert {p.dtype for p in model.forward.network.parameters()} == {getattr(torch, dtype)}


def test_dtype_override(tiny):
    folder = str(tiny("bert", dtype="bfloat16"))
    model = load(folder, dtype="float32", device="cpu")
    assert {p.dtype for p in model.forward.network.parameters()} == {torch.float32}
    card = describe(folder, dtype="float32")
    assert load(card, device="cpu").dtype == "float32"
    with pytest.raises(UsageError, match="int4"):
        load(folder, dtype="int4")


def test_missing_head_is_refused(own):
    from safetensors.torch import load_file, save_file

    path = own("bert") / "model.safetensors"
    tensors = load_file(path)
    save_file({k: v for k, v in tensors.items() if "classifier" not in k}, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 2 of the weights .*classifier\.bias") as error:
        load(str(path.parent))
    assert error.value.exit_code == 4


def test_labels_that_do_not_fit_the_head_are_refused(own):
    folder = own("bert")
    edit(folder / "config.json", id2label={"0": "a", "1": "b", "2": "c"}, label2id=...)
    with pytest.raises(ModelError, match="do not fit its config"):
        load(str(folder))


def test_tokenizer_larger_than_the_embedding_is_refused(own):
    folder = own("bert")
    save_tokenizer("roberta", folder)
    known = json.loads((folder / "config.json").read_text())["vocab_size"]
    with pytest.raises(ModelError, match=f"knows 400 tokens, but the model only {known}$"):
        load(str(folder))


def test_damaged_tokenizer(own):
    folder = own("bert")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="tokenizer"):
        load(str(folder))


def test_remote_code_is_never_asked_for_on_the_terminal(own, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *a: pytest.fail("asked"))
    folder = own("bert")
    edit(folder / "config.json", auto_map={"AutoModelForSequenceClassification": "evil.Model"})
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    load(str(folder))  # a known model_type: the built-in class is used, the code is not
    edit(folder / "config.json", auto_map={"AutoConfig": "evil.Config"}, model_type="own-thing")
    with pytest.raises(ModelError, match="Python code of its own"):
        load(str(folder))


def test_sharded_weights(own):
    from transformers import AutoModelForSequenceClassification

    folder = own("bert")
    before = load(str(folder)).classify(TEXTS).logits
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    network.save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("model-*"))) > 1
    assert np.array_equal(load(str(folder)).classify(TEXTS).logits, before)


def test_pickled_weights_when_allowed(own):
    from safetensors.torch import load_file

    folder = own("bert")
    before = load(str(folder)).classify(TEXTS).logits
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError):
        load(str(folder))
    model = load(str(folder), allow_pickle=True)
    assert np.array_equal(model.classify(TEXTS).logits, before)
    assert np.array_equal(load(model.card).classify(TEXTS).logits, before)


def test_generic_tokenizer_saved_by_transformers_5(own):
    folder = own("bert")
    before = load(str(folder)).classify(TEXTS).logits
    edit(folder / "tokenizer_config.json", tokenizer_class="TokenizersBackend", backend="tokenizers")
    assert np.array_equal(load(str(folder)).classify(TEXTS).logits, before)


@pytest.mark.parametrize("arch", ["gpt2", "llama"])
def test_padding_is_set_in_memory_only(own, arch):
    folder = own(arch)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    model = load(str(folder))
    assert model.forward.network.config.pad_token_id == model.forward.pad is not None
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_padding_is_no_token_that_texts_end_with(own):
    """Were the appended </s> the padding too, the model would answer one token too early."""
    from tokenizers import Tokenizer, processors

    folder = own("llama")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    named = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=named)
    tokenizer.save(str(folder / "tokenizer.json"))
    got = load(str(folder)).classify(SENTENCES).logits
    np.testing.assert_allclose(got, reference(folder, SENTENCES), atol=1e-5)


def test_left_padding_tokenizer_still_gives_right_padding(own):
    folder = own("gpt2")
    edit(folder / "tokenizer_config.json", padding_side="left", pad_token="<|endoftext|>")
    np.testing.assert_allclose(load(str(folder)).classify(TEXTS).logits, reference(folder, TEXTS), atol=1e-5)


def test_network_that_reads_its_padding_gets_none(own, monkeypatch):
    """XLNet and its like answer at the last position, padding or not."""
    from transformers import BertForSequenceClassification

    plain = BertForSequenceClassification.forward

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, **rest):
        return plain(self, input_ids=input_ids, token_type_ids=token_type_ids)

    folder = own("bert")
    expected = load(str(folder)).classify(TEXTS).logits
    monkeypatch.setattr(BertForSequenceClassification, "forward", forward)
    model = load(str(folder))
    assert model.pads is False
    np.testing.assert_allclose(model.classify(TEXTS).logits, expected, atol=1e-5)


@pytest.mark.parametrize(("labels", "problem"), [(("score",), "regression"), (("a", "b", "c"), "multi_label")])
def test_other_problems(tiny, labels, problem):
    declared = "multi_label_classification" if problem == "multi_label" else None
    folder = tiny("bert", labels=labels, problem_type=declared)
    answers = load(str(folder)).classify(TEXTS)
    assert answers.problem in (ProblemType.REGRESSION, ProblemType.MULTI_LABEL)
    assert answers.labels == labels
    np.testing.assert_allclose(answers.logits, reference(folder, TEXTS), atol=1e-5)


def test_loading_says_nothing(tiny, capfd):
    load(str(tiny("bert")))
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_missing_device(tiny, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="cuda was asked for"):
        load(str(tiny("bert")), device="cuda")


def test_slow_tokenizer_gives_the_same_ids(tiny, monkeypatch):
    from probes.model.tokens import Encoder

    model = load(str(tiny("bert")))
    tokenizer = model.encoder.tokenizer

    class Slow:
        is_fast = False

        def __call__(self, *args, **kwargs):
            return tokenizer(*args, **kwargs)

    texts = [*TEXTS, ("a pair", SENTENCES[0])]
    fast, slow = model.encoder, Encoder(Slow(), max_length=64, token_types=True)
    assert np.array_equal(slow.encode(texts).ids, fast.encode(texts).ids)
    assert np.array_equal(slow.encode(texts).types, fast.encode(texts).types)
