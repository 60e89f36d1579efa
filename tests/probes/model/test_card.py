from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from probes.core.answers import ProblemType
from probes.core.errors import AuditError, ModelError, UsageError
from probes.model.card import describe, front_matter
from tests.tiny_models import ARCHITECTURES, MAX_LENGTH

pytestmark = pytest.mark.engine


def edit(folder, **settings):
    path = folder / "config.json"
    config = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_card_of_every_architecture(tiny, arch):
    import torch
    from transformers import AutoModelForSequenceClassification

    card = describe(str(tiny(arch)))
    network = AutoModelForSequenceClassification.from_pretrained(tiny(arch), dtype=torch.float32)
    assert card.architecture == type(network).__name__
    assert card.labels == ("negative", "positive")
    assert card.problem is ProblemType.SINGLE_LABEL
    assert card.parameters == network.num_parameters()
    assert card.max_length == MAX_LENGTH
    assert (card.dtype, card.weights_format, card.name) == ("float32", "safetensors", f"tiny-{arch}")


def test_fingerprint_is_that_of_sha256sum(tiny):
    card = describe(str(tiny("bert")))
    names = [name for name, _ in card.files]
    assert names == sorted(names)
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(names)
    lines = "".join(f"{hashlib.sha256((tiny('bert') / n).read_bytes()).hexdigest()}  {n}\n" for n in names)
    assert card.fingerprint == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_fingerprint_covers_what_decides_the_answers(own, name):
    folder = own("bert")
    before = describe(str(folder)).fingerprint
    (folder / "README.md").write_text("a note")
    assert describe(str(folder)).fingerprint == before
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if "tensors" in name else content + b"\n")
    assert describe(str(folder)).fingerprint != before


@pytest.mark.parametrize(
    ("labels", "declared", "problem"),
    [
        (("score",), None, ProblemType.REGRESSION),
        (("a", "b"), None, ProblemType.SINGLE_LABEL),
        (("a", "b", "c"), "multi_label_classification", ProblemType.MULTI_LABEL),
        (("a", "b"), "single_label_classification", ProblemType.SINGLE_LABEL),
    ],
)
def test_problem_type(tiny, labels, declared, problem):
    card = describe(str(tiny("bert", labels=labels, problem_type=declared)))
    assert (card.problem, card.labels) == (problem, labels)


def test_labels_are_in_the_order_of_the_columns(own):
    folder = own("bert")
    names = {str(index): f"n{index}" for index in (10, 2, 0, 1, 3, 4, 5, 6, 7, 8, 9)}
    edit(folder, id2label=names, label2id=...)
    assert describe(str(folder)).labels == tuple(f"n{index}" for index in range(11))


def test_repeated_label_names_are_refused(own):
    folder = own("bert")
    edit(folder, id2label={"0": "yes", "1": "yes"}, label2id=...)
    with pytest.raises(ModelError, match="several labels called yes"):
        describe(str(folder))


@pytest.mark.parametrize("arch", ["bert", "roberta", "xlm-roberta"])
def test_unset_tokenizer_limit_is_clamped_by_the_positions(own, arch):
    folder = own(arch)
    settings = json.loads((folder / "tokenizer_config.json").read_text()) | {"model_max_length": int(1e30)}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert describe(str(folder)).max_length == MAX_LENGTH


@pytest.mark.parametrize("limit", [0, -1, 1e30, "64", None])
def test_a_tokenizer_limit_that_means_nothing_is_not_one(own, limit):
    folder = own("bert")
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": limit}))
    assert describe(str(folder)).max_length == MAX_LENGTH


def test_missing_label_names_are_numbered(own, tiny):
    folder = own("bert", labels=("a", "b", "c"))
    edit(folder, id2label=..., label2id=..., num_labels=3)
    assert describe(str(folder)).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_maximum_length_can_be_lowered_not_raised(tiny):
    folder = str(tiny("bert"))
    assert describe(folder, max_length=16).max_length == 16
    for wrong in (4, MAX_LENGTH + 1):
        with pytest.raises(UsageError, match="does not fit"):
            describe(folder, max_length=wrong)


def test_dtype_is_the_declared_one_then_that_of_the_weights(own, tiny):
    assert describe(str(tiny("bert", dtype="bfloat16"))).dtype == "bfloat16"
    folder = own("bert", dtype="float16")
    edit(folder, dtype=..., torch_dtype=...)
    assert describe(str(folder)).dtype == "float16"
    edit(folder, torch_dtype="float32")
    assert describe(str(folder)).dtype == "float32"
    assert describe(str(folder), dtype="bfloat16").dtype == "bfloat16"
    with pytest.raises(UsageError, match="int8"):
        describe(str(folder), dtype="int8")


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("BertModel", "encoder without a head"),
        ("LlavaForConditionalGeneration", "generator that reads pictures"),
        ("XLMWithLMHeadModel", "may be masked or not"),
        ("WhisperForSomething", "not a text classifier"),
    ],
)
def test_other_architectures_are_refused_with_what_they_are(own, architecture, kind):
    folder = own("bert")
    edit(folder, architectures=[architecture])
    with pytest.raises(ModelError, match=kind) as error:
        describe(str(folder))
    assert error.value.exit_code == 4


def test_absent_architecture_is_refused(own):
    folder = own("bert")
    edit(folder, architectures=...)
    with pytest.raises(ModelError, match="no architectures"):
        describe(str(folder))


@pytest.mark.parametrize(
    ("damage", "exit_code", "message"),
    [
        (lambda f: (f / "config.json").unlink(), 2, "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), 4, "cannot be read"),
        (lambda f: (f / "config.json").write_text("[]"), 4, "no JSON object"),
        (lambda f: (f / "model.safetensors").unlink(), 4, "no weights"),
        (lambda f: (f / "tokenizer.json").unlink(), 4, "no tokenizer"),
        (lambda f: edit(f, model_type="from-the-future"), 4, "does not know its model_type"),
        (lambda f: edit(f, model_type=...), 4, "model_type"),
        (lambda f: edit(f, auto_map={"AutoConfig": "code.C"}, model_type="own-thing"), 4, "code of its own"),
    ],
)
def test_broken_folders(own, damage, exit_code, message):
    folder = own("bert")
    damage(folder)
    with pytest.raises(AuditError, match=message) as error:
        describe(str(folder))
    assert error.value.exit_code == exit_code
    assert error.value.hint


def test_front_matter(own):
    folder = own("bert")
    readme = "---\nlicense: apache-2.0\ntags:\n- a\nbase_model:\n  - 'org/base'\nlanguage:\nx: 1\n---\nlicense: none\n"
    (folder / "README.md").write_text(readme)
    card = describe(str(folder))
    assert (card.licence, card.base_model) == ("apache-2.0", "org/base")
    assert front_matter(folder / "README.md") == {
        "license": "apache-2.0", "tags": "a", "base_model": "org/base", "x": "1"
    }  # fmt: skip


def test_no_readme_no_licence(tiny):
    card = describe(str(tiny("bert")))
    assert (card.licence, card.base_model, card.revision) == (None, None, None)


def test_importing_the_card_imports_no_torch():
    code = "import sys, probes.model.card, probes.model.cache; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_embedding_table_is_counted_apart(tiny):
    folder = tiny("bert")
    card = describe(str(folder))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert card.embedding_parameters == config["vocab_size"] * config["hidden_size"]
    assert 0 < card.embedding_parameters < card.parameters
