from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from probes.model.finetune import Recipe, finetune, learning_rate, length_bucketed, predict
from tests.planted import LABELS, build_case_blind, planted_sentences
from tests.tiny_models import build

pytestmark = pytest.mark.engine

TEXTS, GOLDS = zip(*planted_sentences(), strict=True)
SHORT = Recipe(epochs=1, learning_rate=1e-3, max_length=32)


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return build("bert", tmp_path_factory.mktemp("encoder"), labels=("a", "b", "c"))


def train(encoder, folder, *, recipe=SHORT, progress=None, **options):
    steps = []
    finetune(
        encoder,
        TEXTS,
        GOLDS,
        labels=LABELS,
        out=folder / "out",
        recipe=recipe,
        checkpoint=folder / "checkpoint",
        progress=progress or steps.append,
        **options,
    )
    return folder / "out", steps


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(encoder, tmp_path_factory):
    return train(encoder, tmp_path_factory.mktemp("whole"))


def killer(at):
    def progress(step):
        if step.done == at:
            raise KilledError

    return progress


def test_learns_a_new_head(trained, tmp_path):
    encoder = trained(build_case_blind)
    opposite = [{"negative": "up", "positive": "down"}[gold] for gold in GOLDS]
    losses = []
    finetune(
        encoder,
        TEXTS,
        opposite,
        labels=("up", "down", "neither"),
        out=tmp_path / "out",
        recipe=Recipe(epochs=6, learning_rate=1e-3),
        checkpoint=tmp_path / "checkpoint",
        progress=lambda step: losses.append(step.loss),
    )
    assert sum(losses[-5:]) < sum(losses[:5]) / 2
    answers = predict(tmp_path / "out", TEXTS)
    assert sum(a == g for a, g in zip(answers, opposite, strict=True)) / len(TEXTS) > 0.9


def test_the_folder_is_an_ordinary_one(whole):
    out, _ = whole
    model = AutoModelForSequenceClassification.from_pretrained(out)
    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert model.config.label2id == {"negative": 0, "positive": 1}
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert tokenizer.backend_tokenizer.truncation is None
    assert tokenizer.backend_tokenizer.padding is None
    assert sorted(p.suffix for p in out.iterdir() if p.suffix not in (".json", ".txt")) == [".safetensors"]


def test_embeddings_and_frozen_layers_stay_as_they_were(encoder, tmp_path):
    out, _ = train(encoder, tmp_path, recipe=Recipe(learning_rate=1e-3, frozen_layers=1, max_length=32))
    before, after = (load_file(folder / "model.safetensors") for folder in (encoder, out))
    moved = {name for name in before if name in after and not torch.equal(before[name], after[name])}
    assert not any("embeddings" in name or "layer.0." in name for name in moved)
    assert any("layer.1." in name for name in moved)


def test_same_seed_same_weights_and_another_seed_other_weights(encoder, whole, tmp_path):
    assert weights(train(encoder, tmp_path / "again")[0]) == weights(whole[0])
    other = Recipe(epochs=1, learning_rate=1e-3, max_length=32, seed=1)
    assert weights(train(encoder, tmp_path / "other", recipe=other)[0]) != weights(whole[0])


@pytest.mark.parametrize("at", [1, 4])
def test_a_killed_training_goes_on_to_the_same_weights(encoder, whole, tmp_path, at):
    with pytest.raises(KilledError):
        train(encoder, tmp_path, checkpoint_seconds=0.0, progress=killer(at))
    out, steps = train(encoder, tmp_path, checkpoint_seconds=0.0)
    # The kill came before the checkpoint of its own step.
    assert [step.done for step in steps] == list(range(at, len(whole[1]) + 1))
    assert weights(out) == weights(whole[0])


def test_a_finished_training_is_not_repeated(encoder, whole, tmp_path):
    train(encoder, tmp_path)
    out, steps = train(encoder, tmp_path)
    assert steps == []
    assert weights(out) == weights(whole[0])


def test_a_checkpoint_of_another_training_is_not_continued(encoder, whole, tmp_path):
    train(encoder, tmp_path, recipe=Recipe(learning_rate=2e-3))
    out, steps = train(encoder, tmp_path)
    assert len(steps) == len(whole[1])
    assert weights(out) == weights(whole[0])


def test_a_damaged_checkpoint_is_not_continued(encoder, whole, tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"cut short")
    out, steps = train(encoder, tmp_path)
    assert len(steps) == len(whole[1])
    assert weights(out) == weights(whole[0])


def test_leaves_the_global_state_alone(encoder, tmp_path):
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    with pytest.raises(KilledError):
        train(encoder, tmp_path, recipe=Recipe(threads=threads + 1), progress=killer(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads


def test_is_silent(encoder, tmp_path, capfd):
    train(encoder, tmp_path)
    predict(tmp_path / "out", TEXTS[:3])
    assert capfd.readouterr() == ("", "")


def test_predict_keeps_the_order(whole):
    out, _ = whole
    texts = ["good " * n for n in range(1, 30)] + ["awful"]
    assert predict(out, texts, batch_size=4) == [predict(out, [text])[0] for text in texts]


def test_batches_hold_every_index_once():
    lengths = [(7 * n) % 40 + 1 for n in range(1000)]
    batches = length_bucketed(lengths, batch_size=16, seed=0, epoch=0)
    assert sorted(i for batch in batches for i in batch) == list(range(1000))
    assert {len(batch) for batch in batches} <= {16, 1000 % 16}


def test_batches_are_of_similar_length_but_not_in_order_of_length():
    lengths = [(7 * n) % 40 + 1 for n in range(1024)]
    batches = length_bucketed(lengths, batch_size=16, seed=0, epoch=0)
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 1.1 * sum(lengths)
    longest = [max(lengths[i] for i in batch) for batch in batches]
    assert longest != sorted(longest)


def test_batches_depend_on_seed_and_epoch():
    def order(seed, epoch):
        return length_bucketed([5] * 100, batch_size=8, seed=seed, epoch=epoch)

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_learning_rate_rises_and_falls():
    rates = [learning_rate(step, total=100, recipe=Recipe(learning_rate=1.0, warmup=0.1)) for step in range(100)]
    assert rates[:10] == pytest.approx([0.1 * n for n in range(1, 11)])
    assert rates[10:] == pytest.approx([1 - n / 90 for n in range(90)])


@pytest.mark.parametrize("total", [1, 2, 3])
def test_learning_rate_of_very_short_trainings_is_positive(total):
    assert all(0 < learning_rate(s, total=total, recipe=Recipe()) <= Recipe().learning_rate for s in range(total))
