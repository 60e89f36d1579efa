from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from probes.core.errors import AuditError, ModelError, UsageError
from probes.model.adapter import KINDS, applied, read_adapter
from probes.model.card import describe
from probes.model.load import load
from tests.tiny_adapters import LABELS, tuned
from tests.tiny_models import SENTENCES, no_progress_bar, save_tokenizer

peft = pytest.importorskip("peft", reason="the extra `adapters` is not installed")

pytestmark = pytest.mark.engine

PLAIN = {"torch", "transformers"}
"""Where the modules of a network come from that peft has left."""


def by_peft(base: Path, adapter: Path, texts):
    """Logits by peft's own loader, one text at a time and nothing merged."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=3)
        network = peft.PeftModel.from_pretrained(network, str(adapter)).eval()
        return np.array([network(**tokenizer(text, return_tensors="pt")).logits[0].numpy() for text in texts])


@pytest.fixture(scope="module")
def base(tiny):
    return tiny("roberta", language=True)


@pytest.fixture(scope="module")
def lora(base, tmp_path_factory):
    return tuned(base, tmp_path_factory.mktemp("adapters") / "lora", r=2)


@pytest.fixture
def copy(lora, tmp_path):
    return Path(shutil.copytree(lora, tmp_path / "copy"))


def edit(folder: Path, **changes):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rewrite(folder: Path, change):
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    save_file({name: weight.contiguous() for name, weight in change(load_file(path)).items()}, path)


def test_an_adapter_is_described_with_its_base(lora, base):
    card = describe(str(lora))
    whole = describe(str(base))
    assert card.architecture == "RobertaForSequenceClassification"
    assert (card.base, card.base_model, card.base_revision) == (str(base), str(base), None)
    assert (card.labels, card.dtype) == (("LABEL_0", "LABEL_1", "LABEL_2"), "float32")
    assert any("LORA" in note and str(base) in note for note in card.notes)
    assert any("stores no names" in note for note in card.notes)
    paths = dict(card.files)
    assert {"adapter_config.json", "adapter_model.safetensors", "base/model.safetensors", "base/config.json"} <= set(
        paths
    )
    assert paths["base/model.safetensors"] == dict(whole.files)["model.safetensors"]
    assert card.fingerprint != whole.fingerprint


def test_its_parameters_are_those_of_the_merged_network(lora):
    card = describe(str(lora))
    network = load(card, device="cpu").forward.network
    assert card.parameters == network.num_parameters()


def test_its_answers_are_those_of_peft(lora, base):
    model = load(str(lora), device="cpu")
    expected = by_peft(base, lora, SENTENCES)
    np.testing.assert_allclose(model.classify(SENTENCES).logits, expected, atol=2e-5)
    plain = by_peft(base, lora, SENTENCES[:1]) - expected[1:2]
    assert np.abs(plain).max() > 0.01  # the texts do differ


def test_everything_else_can_be_asked_of_it(lora):
    model = load(str(lora), device="cpu")
    assert model.embed(SENTENCES[:2]).shape == (2, 32)
    before = model.classify(SENTENCES[:2]).logits
    attributions = model.attribute(SENTENCES[:2], ["LABEL_0", "LABEL_2"])
    assert len(attributions) == 2
    with model.randomised(1.0, seed=0) as other:
        assert np.abs(other.attribute(SENTENCES[:1], ["LABEL_0"])[0].scores - attributions[0].scores).max() > 1e-4
    np.testing.assert_array_equal(model.classify(SENTENCES[:2]).logits, before)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind(kind, base, tmp_path):
    more = {"total_step": 1} if kind == "ADALORA" else {"feedforward_modules": []} if kind == "IA3" else {}
    targets = ["LayerNorm"] if kind == "LN_TUNING" else ["query", "value"]
    _answers_as_peft(tuned(base, tmp_path / "a", kind=kind, target_modules=targets, **more), base)


@pytest.mark.parametrize(
    "settings",
    [{"use_dora": True}, {"bias": "all"}, {"trainable_token_indices": {"word_embeddings": [7, 8]}}],
    ids=lambda settings: next(iter(settings)),
)
def test_kinds_of_lora(settings, base, tmp_path):
    _answers_as_peft(tuned(base, tmp_path / "a", r=2, **settings), base)


def _answers_as_peft(folder, base):
    model = load(str(folder), device="cpu")
    np.testing.assert_allclose(model.classify(SENTENCES[:2]).logits, by_peft(base, folder, SENTENCES[:2]), atol=5e-5)
    assert {type(part).__module__.partition(".")[0] for part in model.forward.network.modules()} <= PLAIN


def test_changes_beside_the_weights_give_the_same(lora, base):
    """As they stay on rounded weights."""
    from transformers import AutoModelForSequenceClassification

    expected = load(str(lora), device="cpu").embed(SENTENCES[:2])
    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=3)
    beside = applied(network, read_adapter(lora, allow_pickle=False), merge=False).eval()
    assert any("lora_A" in name for name, _ in beside.named_modules())
    other = load(str(lora), device="cpu")  # with an empty cache
    other.forward.network = beside
    np.testing.assert_allclose(other.embed(SENTENCES[:2]), expected, atol=1e-5)


def test_changes_of_tied_weights_stay_where_they_belong(tiny, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    base = tiny("gpt2", language=True)
    folder = tuned(base, tmp_path / "a", task="CAUSAL_LM", r=2, target_modules=["lm_head", "c_attn"])
    network = load(str(folder), device="cpu").forward.network
    plain = AutoModelForCausalLM.from_pretrained(base)
    np.testing.assert_array_equal(network.get_input_embeddings().weight, plain.get_input_embeddings().weight.detach())
    ids = torch.arange(8)[None]
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        expected = peft.PeftModel.from_pretrained(plain, str(folder)).eval()(input_ids=ids).logits
        np.testing.assert_allclose(network(input_ids=ids).logits, expected, atol=1e-4)


def test_a_language_model_with_an_adapter(tiny, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = tiny("gpt2", language=True)
    folder = tuned(base, tmp_path / "a", task="CAUSAL_LM", r=2)
    model = load(str(folder), device="cpu")
    assert (model.card.architecture, model.card.task, model.card.labels) == ("GPT2LMHeadModel", "text-generation", ())
    tokenizer = AutoTokenizer.from_pretrained(base)
    ids = tokenizer(tokenizer.bos_token + SENTENCES[0], return_tensors="pt").input_ids
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        network = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(folder)).eval()
        steps = network(input_ids=ids).logits[0].log_softmax(-1)[:-1].gather(1, ids[0, 1:, None]).sum()
    found = model.score(SENTENCES[:1])
    assert found.totals[0] == pytest.approx(float(steps), abs=1e-3)


def test_a_model_with_an_encoder_and_an_adapter(tiny, tmp_path):
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    base = tiny("t5", language=True)
    folder = tuned(base, tmp_path / "a", task="SEQ_2_SEQ_LM", r=2)
    model = load(str(folder), device="cpu")
    assert (model.card.architecture, model.card.task) == ("T5ForConditionalGeneration", "text2text-generation")
    inputs = AutoTokenizer.from_pretrained(base)([SENTENCES[0]], text_target=[SENTENCES[1]], return_tensors="pt")
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        network = peft.PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(base), str(folder)).eval()
        steps = network(**inputs).logits[0].log_softmax(-1).gather(1, inputs["labels"][0, :, None])[:-1].sum()
    assert model.score([(SENTENCES[0], SENTENCES[1])]).totals[0] == pytest.approx(float(steps), abs=1e-3)


def test_a_merged_folder_is_an_ordinary_model(lora, base, tmp_path):
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=3)
    with no_progress_bar():
        applied(network, read_adapter(lora, allow_pickle=False), merge=True).save_pretrained(tmp_path)
    save_tokenizer("roberta", tmp_path)
    model = load(str(tmp_path), device="cpu")
    assert (model.card.base, model.card.notes) == (None, ())
    expected = load(str(lora), device="cpu").classify(SENTENCES).logits
    np.testing.assert_allclose(model.classify(SENTENCES).logits, expected, atol=1e-6)


def test_names_of_labels_come_from_a_config_beside_it(copy):
    (copy / "config.json").write_text(json.dumps({"id2label": dict(enumerate(LABELS))}))
    card = describe(str(copy))
    assert card.labels == LABELS
    assert not any("names" in note for note in card.notes)
    assert "config.json" in dict(card.files)


def test_names_of_labels_come_from_a_base_with_the_same_head(tiny, tmp_path):
    base = tiny("bert", labels=LABELS)
    folder = tuned(base, tmp_path / "a", r=2)
    card = describe(str(folder))
    assert card.labels == LABELS
    assert any("those of its base" in note for note in card.notes)
    expected = by_peft(base, folder, SENTENCES[:3])
    np.testing.assert_allclose(load(card, device="cpu").classify(SENTENCES[:3]).logits, expected, atol=2e-5)


def test_a_head_lost_with_the_training_is_not_made_up(tiny, tmp_path):
    folder = tuned(tiny("bert", language=True), tmp_path / "a", r=2)  # the pooler was new, and peft does not keep it
    with pytest.raises(ModelError, match=r"lacks 2 of the weights.*pooler") as error:
        load(str(folder), device="cpu")
    assert "--base" in error.value.hint


def test_its_own_tokenizer_wins(copy):
    save_tokenizer("roberta", copy)
    (copy / "tokenizer_config.json").write_text(
        json.dumps(json.loads((copy / "tokenizer_config.json").read_text()) | {"model_max_length": 32})
    )
    card = describe(str(copy))
    assert card.max_length == 32
    assert {"tokenizer.json"} <= set(dict(card.files))
    assert "base/tokenizer.json" not in dict(card.files)


def test_tokens_added_in_training(base, copy):
    import torch
    from transformers import AutoModelForSequenceClassification

    rows = AutoModelForSequenceClassification.from_pretrained(base).get_input_embeddings().weight.detach()
    grown = torch.cat([rows, torch.full((3, 32), 0.1)])
    rewrite(copy, lambda saved: saved | {"base_model.model.roberta.embeddings.word_embeddings.weight": grown})
    network = load(str(copy), device="cpu").forward.network
    np.testing.assert_array_equal(network.get_input_embeddings().weight, grown)


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_a_relative_base(copy, base, where):
    shutil.copytree(base, (copy if where == "inside" else copy.parent) / "the-base")
    edit(copy, base_model_name_or_path="the-base")
    assert describe(str(copy)).base.endswith("the-base")


def test_a_base_that_is_gone(copy, base):
    edit(copy, base_model_name_or_path="/home/somebody/base")
    with pytest.raises(ModelError, match="adapter for /home/somebody/base, which is not there") as error:
        describe(str(copy))
    assert "--base" in error.value.hint
    card = describe(str(copy), base=str(base))
    assert card.base == str(base)
    assert load(card, device="cpu").classify(SENTENCES[:1]).logits.shape == (1, 3)


def test_a_base_from_the_hub_in_its_revision(copy, base, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "probes.model.source._download", lambda repo, *, revision, patterns: asked.append((repo, revision)) or base
    )
    edit(copy, base_model_name_or_path="org/base", revision="v2")
    card = describe(str(copy))
    assert asked == [("org/base", "v2")]
    assert (card.base, card.base_revision) == ("org/base", base.name)


@pytest.mark.parametrize("layers", [1, 3])
def test_another_base_is_noticed(lora, tiny, layers):
    other = tiny("roberta", language=True, config={"num_hidden_layers": layers})
    with pytest.raises(ModelError, match=r"does not fit its base.*lora"):
        load(str(lora), device="cpu", base=str(other))


def test_a_base_of_another_width_is_noticed(lora, tiny):
    other = tiny("roberta", language=True, config={"hidden_size": 16})
    with pytest.raises(ModelError, match="does not fit its base"):
        load(str(lora), device="cpu", base=str(other))


def test_a_head_that_was_to_be_there(tiny, tmp_path):
    folder = tuned(tiny("bert", labels=LABELS), tmp_path / "a", r=2)
    rewrite(folder, lambda saved: {name: weight for name, weight in saved.items() if "classifier" not in name})
    with pytest.raises(ModelError, match=r"does not fit its base: .*classifier"):
        load(str(folder), device="cpu")


def test_the_dtype_is_that_of_the_base(tiny, tmp_path):
    import torch

    base = tiny("roberta", language=True, dtype="bfloat16")
    folder = tuned(base, tmp_path / "a", r=2)
    model = load(str(folder), device="cpu")
    assert model.card.dtype == "bfloat16"
    assert {weight.dtype for weight in model.forward.network.parameters()} == {torch.bfloat16}


def test_a_base_changed_after_it_was_described(copy, base, tmp_path):
    own = Path(shutil.copytree(base, tmp_path / "base"))
    card = describe(str(copy), base=str(own))
    (own / "config.json").write_text((own / "config.json").read_text() + "\n")
    with pytest.raises(AuditError, match="have changed") as error:
        load(card, device="cpu")
    assert error.value.exit_code == 5


def test_a_pickled_adapter_is_refused_unless_allowed(copy):
    import torch
    from safetensors.torch import load_file

    expected = load(str(copy), device="cpu").classify(SENTENCES[:2]).logits
    torch.save(load_file(copy / "adapter_model.safetensors"), copy / "adapter_model.bin")
    (copy / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="pickled adapter") as error:
        describe(str(copy))
    assert "--allow-pickle" in error.value.hint
    card = describe(str(copy), allow_pickle=True)
    assert card.weights_format == "pickle"
    np.testing.assert_array_equal(load(card, device="cpu").classify(SENTENCES[:2]).logits, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "kind PREFIX_TUNING"),
        ({"peft_type": None}, "kind NONE"),
        ({"task_type": "FEATURE_EXTRACTION"}, "without a head"),
        ({"task_type": "SEQ_2_SEQ_LM"}, "a roberta model cannot do"),
        ({"alora_invocation_tokens": [1]}, "behind certain tokens"),
        ({"base_model_name_or_path": None}, "does not say which model"),
        ({"base_model_name_or_path": "."}, "an adapter itself"),
    ],
)
def test_refused(copy, changes, message):
    edit(copy, **changes)
    with pytest.raises(ModelError, match=message) as error:
        describe(str(copy))
    assert error.value.hint


def test_missing_weights(copy):
    (copy / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights of its adapter"):
        describe(str(copy))


def test_a_whole_model_and_an_adapter_in_one_folder(own, lora):
    folder = own("roberta")
    shutil.copy(lora / "adapter_config.json", folder)
    with pytest.raises(ModelError, match="a whole model and an adapter"):
        describe(str(folder))


def test_without_the_package(lora, monkeypatch):
    monkeypatch.setattr("probes.model.adapter.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="peft package") as error:
        describe(str(lora))
    assert "[adapters]" in error.value.hint


def test_a_base_for_a_whole_model(base, tiny):
    with pytest.raises(UsageError, match="not an adapter"):
        describe(str(tiny("roberta")), base=str(base))
