"""Models with an encoder: what they write and how likely they find a text, against transformers pair by pair."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, ByT5Tokenizer

from probes.core.answers import ProblemType
from probes.core.errors import ModelError, UsageError
from probes.core.generations import Decoding
from probes.core.likelihoods import Scoring
from probes.core.model import Capability
from probes.model.card import describe
from probes.model.load import load
from tests.tiny_models import MAX_LENGTH, SENTENCES, SEQ2SEQ, build

pytestmark = pytest.mark.engine

PROMPTS = [SENTENCES[0][:length] for length in (3, 9, 20, 33)] + list(SENTENCES[1:4])
PAIRS = [(a, b) for a in (*SENTENCES[:3], "A fox.") for b in (SENTENCES[4], "good", "A superb meal.")]
TEN = Decoding(max_tokens=10)


@pytest.fixture(scope="module", params=SEQ2SEQ)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(request.param, tmp_path_factory.mktemp("pairs") / request.param, language=True)


@pytest.fixture(scope="module")
def model(folder: Path):
    return load(str(folder), device="cpu")


class Plain:
    """transformers alone, one pair at a time, nothing padded."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.network = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.network.generation_config.forced_eos_token_id = None  # a text that was stopped has not ended

    def write(self, prompt: str) -> list[int]:
        source = self.tokenizer(prompt, return_tensors="pt")
        return self.network.generate(**source, max_new_tokens=10, do_sample=False)[0, 1:].tolist()

    def logs(self, source: str, target: str) -> list[float]:
        """Of the tokens of the target that are no special ones, as the loss of training has them."""
        labels = self.tokenizer(text_target=target, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            output = self.network(**self.tokenizer(source, return_tensors="pt"), labels=labels)
        found = output.logits[0].double().log_softmax(-1)
        logs = found.gather(1, labels[0, :, None])[:, 0]
        assert float(output.loss) == pytest.approx(-float(logs.mean()), abs=1e-4)
        return logs[[token not in self.tokenizer.all_special_ids for token in labels[0].tolist()]].tolist()


def test_greedy_writing_is_that_of_transformers(model, folder):
    found, plain = model.generate(PROMPTS, TEN), Plain(folder)
    for row, prompt in enumerate(PROMPTS):
        written = plain.write(prompt)
        assert found.of(row) == [plain.tokenizer.decode(written, skip_special_tokens=True).strip()]
        assert found.tokens[row] == len(written)
    assert not found.cut.any()


def test_what_is_written_depends_on_the_prompt_alone(model, folder):
    how = Decoding(max_tokens=6, samples=2, temperature=1.0, seed=3)
    together = model.generate(PROMPTS, how)
    alone = load(str(folder), device="cpu", budget=1)
    for row, prompt in enumerate(PROMPTS):
        found = alone.generate([prompt], how)
        assert found.texts == together.of(row)
        assert np.allclose(found.logs, together.logs[2 * row : 2 * row + 2], atol=1e-4)


def test_scores_are_those_of_one_pair_at_a_time(model, folder):
    found, plain = model.score(PAIRS), Plain(folder)
    for row, pair in enumerate(PAIRS):
        assert found.logs[found.tokens_of(row)] == pytest.approx(plain.logs(*pair), abs=1e-4)
        ids = plain.tokenizer(pair[1], add_special_tokens=False)["input_ids"]
        assert found.ids[found.tokens_of(row)].tolist() == ids
    assert not found.unscored.any()


def test_asked_again_nothing_is_computed(folder):
    fresh = load(str(folder), device="cpu")
    first = fresh.score([*PAIRS, *PAIRS])
    assert fresh.counters.computed == len(PAIRS)
    again = fresh.score(PAIRS[::-1])
    assert fresh.counters.computed == len(PAIRS)
    assert np.array_equal(again.totals, first.totals[: len(PAIRS)][::-1])


def test_a_source_is_read_once_for_all_its_targets(folder):
    fresh, read = load(str(folder), device="cpu"), []
    encoder = fresh.forward.network.get_encoder()
    encoder.register_forward_hook(
        lambda _, given, named, __: read.append(len(given[0] if given else named["input_ids"])), with_kwargs=True
    )
    fresh.score(PAIRS)
    assert sum(read) == len({source for source, _ in PAIRS})


def test_the_source_and_the_target_both_count(model):
    found = model.score([("A good film.", "yes"), ("A bad film.", "yes"), ("A good film.", "no"), ("A", "good film.")])
    assert len(set(found.totals.round(4))) == 4


def test_only_pairs_are_scored(model):
    with pytest.raises(ValueError, match="pairs"):
        model.score(["A fox."])
    with pytest.raises(ValueError, match="second text"):
        model.score([("a", "b")], counted=[(0, 1)])
    with pytest.raises(ValueError, match="no way to score"):
        model.score([("a", "b")], rule=Scoring.ONE_MASKED)


def test_texts_that_are_too_long(model, folder):
    long = " ".join(SENTENCES)
    whole = len(Plain(folder).tokenizer(long)["input_ids"])
    assert model.generate([long, "A fox."], TEN).cut.tolist() == [whole - MAX_LENGTH, 0]
    # Relative positions have no end; a table of them has, and the decoder begins with one.
    most = model.generate(["A fox."], Decoding(max_tokens=80)).tokens[0]
    assert most == (80 if model.card.model_type == "t5" else MAX_LENGTH - 1)
    bare = len(Plain(folder).tokenizer(long, add_special_tokens=False)["input_ids"])
    found = model.score([("A fox.", long)])
    assert found.unscored[0] > 0
    assert found.counts[0] + found.unscored[0] == bare


def test_the_card_says_what_it_can_be_asked(model, folder):
    card = describe(str(folder))
    assert (card.problem, card.task) == (ProblemType.SEQ2SEQ_LM, "text2text-generation")
    assert card.question is Capability.GENERATE
    wanted = {Capability.GENERATE, Capability.SCORE, Capability.TOKENIZE, Capability.EMBED}
    assert card.capabilities >= wanted
    assert (card.labels, card.chat) == ((), False)
    assert model.embed(["A fox.", "A film."]).shape == (2, 32)
    assert model.token_counts(["A fox."])[0][0] > 0
    assert model.throughput(PROMPTS).texts_per_second > 0


def test_what_the_decoder_is_given_first_is_kept(tmp_path):
    """BART writes its first token because generation_config.json says so; without that it may write another."""
    folder = build("bart", tmp_path / "bart", language=True)
    forced = load(str(folder), device="cpu")
    assert forced.habits.forced == 0
    settings = json.loads((folder / "generation_config.json").read_text())
    settings.pop("forced_bos_token_id")
    (folder / "generation_config.json").write_text(json.dumps(settings))
    free = load(str(folder), device="cpu")
    assert free.habits.forced is None
    assert list(free.generate(PROMPTS, TEN).texts) != list(forced.generate(PROMPTS, TEN).texts)
    # The target begins as the tokenizer writes it, whichever says so.
    assert np.array_equal(free.score(PAIRS).logs, forced.score(PAIRS).logs)


def test_padding_that_a_model_must_not_write_stays_unwritten(tmp_path):
    """Marian lists its padding among the words it must not write."""
    folder = build("bart", tmp_path / "bart", language=True)
    pad = 1
    before = load(str(folder), device="cpu")
    with torch.no_grad():
        before.forward.network.final_logits_bias[0, pad] = 100.0
    assert before.generate(["A fox."], TEN).texts == [""]
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(settings | {"bad_words_ids": [[pad], [300]]}))
    after = load(str(folder), device="cpu")
    assert after.habits.never == (pad,)
    with torch.no_grad():
        after.forward.network.final_logits_bias[0, pad] = 100.0
    assert after.generate(["A fox."], TEN).texts != [""]


def test_a_byte_level_tokenizer_without_rust(tmp_path):
    folder = build("t5", tmp_path / "byt5", language=True)
    (folder / "tokenizer.json").unlink()
    ByT5Tokenizer(model_max_length=MAX_LENGTH).save_pretrained(folder)
    model = load(str(folder), device="cpu")
    assert not model.encoder.tokenizer.is_fast
    plain = Plain(folder)
    found = model.generate(["naïve é", "A fox."], TEN)
    for row, prompt in enumerate(("naïve é", "A fox.")):
        # The network has room for more tokens than there are; these spell nothing.
        written = [token for token in plain.write(prompt) if token < len(plain.tokenizer)]
        assert found.of(row) == [plain.tokenizer.decode(written, skip_special_tokens=True).strip()]
    assert model.score([("naïve", "é x")]).logs == pytest.approx(plain.logs("naïve", "é x"), abs=1e-4)


def edit(folder: Path, **settings) -> None:
    config = json.loads((folder / "config.json").read_text()) | settings
    config = {key: value for key, value in config.items() if value is not ...}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("task", ["text2text-generation", "summarization", "translation"])
def test_the_task_decides_where_no_architecture_is_named(task, tmp_path):
    folder = build("t5", tmp_path / "t5", language=True)
    edit(folder, architectures=...)
    with pytest.raises(ModelError, match="no architectures") as error:
        describe(str(folder))
    assert "--task" in error.value.hint
    card = describe(str(folder), task=task)
    assert (card.architecture, card.task) == ("T5ForConditionalGeneration", "text2text-generation")
    assert load(card, device="cpu").generate(["A fox."], TEN).tokens[0] > 0


@pytest.mark.parametrize(
    ("arch", "language", "task", "problem"),
    [
        ("bert", True, "fill-mask", ProblemType.MASKED_LM),
        ("gpt2", True, "text-generation", ProblemType.CAUSAL_LM),
        ("bert", False, "text-classification", ProblemType.SINGLE_LABEL),
    ],
)
def test_every_kind_can_be_named(arch, language, task, problem, own):
    folder = own(arch, language=language)
    declared = describe(str(folder), task=task)
    edit(folder, architectures=...)
    named = load(str(folder), device="cpu", task=task)
    assert (named.card.architecture, named.card.problem) == (declared.architecture, problem)


def test_an_architecture_of_either_kind_needs_to_be_told(own):
    folder = own("bert", language=True)
    edit(folder, architectures=["XLMWithLMHeadModel"])
    with pytest.raises(ModelError, match="masked or not") as error:
        describe(str(folder))
    assert "--task fill-mask" in error.value.hint
    assert describe(str(folder), task="fill-mask").problem is ProblemType.MASKED_LM


def test_a_task_the_model_was_not_made_for_is_refused(own, tiny):
    with pytest.raises(UsageError, match=r"is made for text-classification \(BertForSequenceClassification\)"):
        describe(str(tiny("bert")), task="fill-mask")
    with pytest.raises(UsageError, match="no task is called 'fill-masks'") as error:
        describe(str(tiny("bert")), task="fill-masks")
    assert "did you mean fill-mask?" in error.value.hint
    folder = own("bert")
    edit(folder, architectures=...)
    with pytest.raises(UsageError, match="cannot be loaded for text2text-generation"):
        describe(str(folder), task="text2text-generation")
    with pytest.raises(ModelError, match="lacks"):  # its weights are those of a classifier
        load(str(folder), device="cpu", task="question-answering")


@pytest.mark.parametrize(
    ("model_type", "architecture"),
    [
        ("whisper", "WhisperForConditionalGeneration"),
        ("blip", "BlipForConditionalGeneration"),
        ("llava", "LlavaForConditionalGeneration"),
    ],
)
def test_generators_that_read_other_things_than_text_are_refused(model_type, architecture, own):
    folder = own("bert")
    (folder / "config.json").write_text(json.dumps({"model_type": model_type, "architectures": [architecture]}))
    with pytest.raises(ModelError, match="reads pictures, sound"):
        describe(str(folder))
