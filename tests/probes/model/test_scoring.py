"""Scores of texts, against naive implementations that ask transformers one token at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedTokenizerFast

from probes.core.errors import DataError, ModelError
from probes.core.likelihoods import Likelihoods, Scoring
from probes.core.model import Capability
from probes.model.card import describe
from probes.model.load import load
from tests.tiny_models import CAUSAL, MAX_LENGTH, SENTENCES, build

pytestmark = pytest.mark.engine

TEXTS = (*SENTENCES, "A fox.", "a", "My phone broke.", "The film was good. " * 3)
MASKED = ("bert", "roberta", "distilbert", "modernbert")


@pytest.fixture(scope="module", params=(*CAUSAL, *MASKED))
def arch(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(arch: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(arch, tmp_path_factory.mktemp("lm") / arch, language=True)


@pytest.fixture(scope="module")
def model(folder: Path):
    return load(str(folder), device="cpu")


class Naive:
    """One text at a time, one mask at a time, no padding."""

    def __init__(self, folder: Path, *, causal: bool) -> None:
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        kind = AutoModelForCausalLM if causal else AutoModelForMaskedLM
        self.network = kind.from_pretrained(folder, dtype=torch.float32).eval()

    def logs(self, ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return self.network(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)

    def left_to_right(self, text: str) -> list[float]:
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        ids = [self.tokenizer.bos_token_id, *ids]
        found = self.logs(ids)
        return [float(found[at, token]) for at, token in enumerate(ids[1:])]

    def framed(self, text: str) -> tuple[list[int], range]:
        ids = self.tokenizer(text)["input_ids"]
        return ids, range(1, len(ids) - 1)

    def one_masked(self, text: str) -> list[float]:
        ids, inner = self.framed(text)
        scores = []
        for at in inner:
            masked = [*ids[:at], self.tokenizer.mask_token_id, *ids[at + 1 :]]
            scores.append(float(self.logs(masked)[at, ids[at]]))
        return scores

    def none_masked(self, text: str) -> list[float]:
        ids, inner = self.framed(text)
        found = self.logs(ids)
        return [float(found[at, ids[at]]) for at in inner]


@pytest.fixture(scope="module")
def naive(folder: Path, arch: str) -> Naive:
    return Naive(folder, causal=arch in CAUSAL)


def rows(found: Likelihoods) -> list[list[float]]:
    return [found.logs[found.tokens_of(row)].tolist() for row in range(len(found))]


def test_card_of_a_language_model(folder, arch):
    card = describe(str(folder))
    assert card.task == ("text-generation" if arch in CAUSAL else "fill-mask")
    assert card.labels == ()
    assert card.question is Capability.SCORE
    assert Capability.CLASSIFY not in card.capabilities


def test_scores_are_those_of_a_naive_implementation(model, naive, arch):
    rule = naive.left_to_right if arch in CAUSAL else naive.one_masked
    found = model.score(TEXTS)
    for text, scores in zip(TEXTS, rows(found), strict=True):
        assert scores == pytest.approx(rule(text), abs=2e-5)
    assert found.totals == pytest.approx([sum(rule(text)) for text in TEXTS], abs=1e-4)
    assert not found.unscored.any()
    assert found.spans[:, 0].tolist() == [0] * len(TEXTS)
    assert found.spans[:, 1].tolist() == [len(text.rstrip()) for text in TEXTS] or arch in (*CAUSAL, "roberta")


def test_aul_is_that_of_a_naive_implementation(model, naive, arch):
    if arch in CAUSAL:
        with pytest.raises(ValueError, match="no way to score"):
            model.score(TEXTS, rule=Scoring.NONE_MASKED)
        return
    for text, scores in zip(TEXTS, rows(model.score(TEXTS, rule=Scoring.NONE_MASKED)), strict=True):
        assert scores == pytest.approx(naive.none_masked(text), abs=2e-5)


def test_the_sum_is_the_loss_that_transformers_reports(model, naive, arch):
    if arch not in CAUSAL:
        pytest.skip("masked models have no such loss")
    ids = torch.tensor(
        [[naive.tokenizer.bos_token_id, *naive.tokenizer(TEXTS[0], add_special_tokens=False)["input_ids"]]]
    )
    with torch.no_grad():
        loss = float(naive.network(input_ids=ids, labels=ids).loss)
    assert -model.score(TEXTS[:1]).means[0] == pytest.approx(loss, abs=1e-5)


def test_a_text_has_the_same_score_alone_as_beside_longer_ones(folder, model):
    together = model.score(TEXTS)
    lonely = load(str(folder), device="cpu")
    for row, text in enumerate(TEXTS):
        assert lonely.score([text]).totals[0] == pytest.approx(together.totals[row], abs=1e-4)


def test_padding_on_the_left_gives_the_same_scores(model, naive, arch):
    """What generation does: padding before the text, positions counted from its first token."""
    if arch not in CAUSAL:
        pytest.skip("masked models are padded on the right")
    texts = [TEXTS[0], "A fox."]
    ids = [
        [naive.tokenizer.bos_token_id, *naive.tokenizer(text, add_special_tokens=False)["input_ids"]] for text in texts
    ]
    longest = max(map(len, ids))
    padded = torch.tensor([[0] * (longest - len(row)) + row for row in ids])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in ids])
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        logits = naive.network(input_ids=padded, attention_mask=mask, position_ids=positions).logits
    for row, score in zip((0, 1), rows(model.score(texts)), strict=True):
        own = padded[row, longest - len(ids[row]) :]
        found = logits[row, longest - len(ids[row]) :].log_softmax(-1)
        assert score == pytest.approx([float(found[at, token]) for at, token in enumerate(own[1:])], abs=2e-5)


def test_repeats_cost_nothing_and_an_interrupted_question_gives_the_same_bits(folder):
    whole = load(str(folder), device="cpu")
    first = whole.score([*TEXTS, *TEXTS])
    assert whole.counters.asked == 2 * len(TEXTS)
    assert whole.counters.computed == len(TEXTS)
    assert first.logs[: len(first.logs) // 2].tolist() == first.logs[len(first.logs) // 2 :].tolist()
    assert whole.score(TEXTS).logs.tolist() == first.logs[: len(first.logs) // 2].tolist()
    assert whole.counters.computed == len(TEXTS)


def test_a_budget_of_one_row_gives_the_same_scores(folder, model):
    small = load(str(folder), device="cpu", budget=8)
    assert small.score(TEXTS).logs == pytest.approx(model.score(TEXTS).logs, abs=1e-4)


def test_of_a_pair_the_second_text_is_scored_given_the_first(model, naive, arch):
    given, text = "The film was good", "and the music was lovely."
    found = model.score([(given, text)])
    rule = naive.left_to_right if arch in CAUSAL else naive.one_masked
    whole = rule(f"{given} {text}")
    tokens = len(whole) - len(naive.tokenizer(given, add_special_tokens=False)["input_ids"])
    assert rows(found)[0] == pytest.approx(whole[-tokens:], abs=2e-5)
    start, end = found.spans[0]
    assert f"{given} {text}"[start:end].strip() == text


def test_counted_characters_choose_tokens(model, naive, arch):
    text = "The film was good and long."
    start = text.index("good")
    found = model.score([text], counted=[(start, start + 4)])
    rule = naive.left_to_right if arch in CAUSAL else naive.one_masked
    offsets = naive.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    wanted = [at for at, (a, b) in enumerate(offsets) if b > start and a < start + 4]
    assert rows(found)[0] == pytest.approx([rule(text)[at] for at in wanted], abs=2e-5)


def test_a_word_filled_into_a_blank_from_left_to_right(model, naive, arch):
    if arch in CAUSAL:
        pytest.skip("causal models fill no blanks")
    texts = ["The filmweakly was good.", "A superb meal"]  # a word of many pieces, and one of few
    words = ["filmweakly", "superb"]
    spans = [(text.index(word), text.index(word) + len(word)) for text, word in zip(texts, words, strict=True)]
    found = rows(model.score(texts, rule=Scoring.WORD_FROM_LEFT, counted=spans))
    for text, (a, b), scores in zip(texts, spans, found, strict=True):
        encoded = naive.tokenizer(text, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        inner = [at for at in range(1, len(ids) - 1) if offsets[at][1] > a and offsets[at][0] < b]
        expected = []
        for at in inner:
            cut = [*ids[:at], naive.tokenizer.mask_token_id, *ids[inner[-1] + 1 :]]
            expected.append(float(naive.logs(cut)[at, ids[at]]))
        assert scores == pytest.approx(expected, abs=2e-5)
    assert len(found[0]) > 1


def test_what_is_cut_off_counts_as_unscored(model, naive, arch):
    text = "good " * 200
    found = model.score([text, "A fox."])
    tokens = len(naive.tokenizer(text, add_special_tokens=False)["input_ids"])
    assert found.counts[0] == MAX_LENGTH - (1 if arch in CAUSAL else 2)
    assert found.unscored.tolist() == [tokens - found.counts[0], 0]
    assert 0 < found.spans[0, 1] < len(text)


def test_of_a_long_pair_the_beginning_is_cut_off(model):
    found = model.score([("bad " * 200, "The film was good.")])
    assert found.unscored.tolist() == [0]
    shorter = model.score(["The film was good."])
    assert found.counts[0] in (shorter.counts[0], shorter.counts[0] + 1)  # the blank before it may be a token


def test_a_pair_cut_to_nothing_has_no_score(folder):
    model = load(str(folder), device="cpu", max_length=8)
    found = model.score(["good good " * 40], counted=[(380, 390)])
    assert found.unscored[0] == 0  # the context goes first
    found = model.score(["good bad " * 40], counted=[(0, 4)])
    assert np.isfinite(found.totals[0])


def test_an_empty_text_is_refused(model):
    with pytest.raises(DataError, match="empty"):
        model.score([""])


def test_no_texts_have_no_scores(model):
    found = model.score([])
    assert len(found) == 0
    assert len(found.logs) == 0


def test_without_any_token_to_begin_with_the_first_token_has_no_score(tmp_path):
    folder = build("gpt2", tmp_path / "gpt2", language=True)
    model = load(str(folder), device="cpu")
    model.encoder.tokenizer.bos_token = None
    model.encoder.tokenizer.eos_token = None
    found = model.score(["The film was good."])
    assert found.unscored.tolist() == [1]
    assert found.spans[0, 0] == 3


def test_a_bert_declared_a_generator_is_refused(tmp_path):
    folder = build("bert", tmp_path / "bert", language=True)
    config = folder / "config.json"
    config.write_text(config.read_text().replace("BertForMaskedLM", "BertLMHeadModel"))
    with pytest.raises(ModelError, match="reads ahead"):
        load(str(folder), device="cpu")


def test_a_masked_model_without_a_mask_is_refused(tmp_path):
    folder = build("bert", tmp_path / "bert", language=True)
    config = folder / "tokenizer_config.json"
    config.write_text(config.read_text().replace(', "mask_token": "[MASK]"', ""))
    with pytest.raises(ModelError, match="no mask token"):
        load(str(folder), device="cpu")


def test_totals_of_nothing_are_unknown():
    empty = Likelihoods(
        logs=np.array([-1.0, -2.0]),
        ids=np.array([5, 6]),
        starts=np.array([0, 0, 2]),
        spans=np.zeros((2, 2), dtype=np.int64),
        unscored=np.array([3, 0]),
    )
    assert np.isnan(empty.totals[0])
    assert empty.totals[1] == -3.0
    assert empty.means[1] == -1.5
    assert replace(empty).counts.tolist() == [0, 2]
    assert [b - a for a, b in pairwise(empty.starts.tolist())] == [0, 2]
