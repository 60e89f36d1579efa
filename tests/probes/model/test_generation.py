"""What models write, against transformers' own `generate` on one prompt at a time, and against the probabilities."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from functools import wraps
from logging import WARNING, Handler, getLogger
from pathlib import Path

import numpy as np
import pytest
import torch
from jinja2.sandbox import ImmutableSandboxedEnvironment
from scipy import stats
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from probes.core.errors import DataError, ModelError
from probes.core.generations import Decoding
from probes.core.model import Capability
from probes.model import prompts as chat
from probes.model.cache import AnswerCache
from probes.model.card import describe
from probes.model.draws import gumbel, mixed
from probes.model.load import load
from tests.probes.model.conftest import different_texts, opened
from tests.tiny_models import CAUSAL, CHAT, SENTENCES

pytestmark = pytest.mark.engine

PROMPTS = [SENTENCES[0][:length] for length in (3, 9, 20, 33)] + list(SENTENCES[1:4])
TEN = Decoding(max_tokens=10)
DRAWN = Decoding(max_tokens=6, samples=3, temperature=0.9, top_p=0.95, seed=1)


def the_same(a, b) -> bool:
    alike = list(a.texts) == list(b.texts) and np.array_equal(a.tokens, b.tokens)
    return alike and np.array_equal(a.finished, b.finished) and np.allclose(a.logs, b.logs, atol=1e-4)


class Plain:
    """transformers alone, one prompt at a time, nothing padded."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def ids(self, prompt: str) -> torch.Tensor:
        return self.tokenizer(prompt, return_tensors="pt")["input_ids"]

    def write(self, ids: torch.Tensor) -> list[int]:
        asked = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pad_token_id": 0}
        whole = self.network.generate(**asked, max_new_tokens=10, do_sample=False)
        return whole[0, ids.shape[1] :].tolist()

    def text(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True).strip()

    def logs(self, ids: torch.Tensor, written: list[int]) -> float:
        whole = torch.cat([ids, torch.tensor([written])], dim=1)
        with torch.no_grad():
            found = self.network(input_ids=whole).logits[0].double().log_softmax(-1)
        start = ids.shape[1] - 1
        return float(sum(found[start + place, token] for place, token in enumerate(written)))

    def smallest_gap(self, ids: torch.Tensor, written: list[int]) -> float:
        whole = torch.cat([ids, torch.tensor([written])], dim=1)
        with torch.no_grad():
            first, second = self.network(input_ids=whole).logits[0, ids.shape[1] - 1 : -1].topk(2).values.T
        return float((first - second).min())

    def next(self, prompt: str) -> np.ndarray:
        with torch.no_grad():
            return self.network(input_ids=self.ids(prompt)).logits[0, -1].double().softmax(-1).numpy()


@pytest.mark.parametrize("arch", CAUSAL)
def test_greedy_writing_is_that_of_transformers(arch, tiny):
    folder = tiny(arch, language=True)
    found, plain = opened(folder).generate(PROMPTS, TEN), Plain(folder)
    for row, prompt in enumerate(PROMPTS):
        ids = plain.ids(prompt)
        written = plain.write(ids)
        assert found.of(row) == [plain.text(written)]
        assert found.tokens[row] == len(written)
        assert found.logs[row] == pytest.approx(plain.logs(ids, written), abs=1e-4)
    assert not found.cut.any()
    assert found.samples == 1


@pytest.mark.parametrize("how", [TEN, DRAWN])
def test_what_is_written_depends_on_the_prompt_alone(how, tiny):
    folder = str(tiny("llama", language=True))
    together = opened(folder).generate(PROMPTS, how)
    pairs = opened(folder, budget=60).generate(PROMPTS[::-1], how)
    assert the_same(pairs[np.arange(len(PROMPTS))[::-1]], together)
    alone = opened(folder, budget=1)
    for row, prompt in enumerate(PROMPTS):
        assert the_same(alone.generate([prompt], how), together[np.array([row])])


def test_samples_and_seeds_differ_and_the_same_seed_repeats(tiny):
    folder = str(tiny("gpt2", language=True))
    first = opened(folder).generate(PROMPTS, DRAWN)
    assert the_same(opened(folder).generate(PROMPTS, DRAWN), first)
    other = opened(folder).generate(PROMPTS, replace(DRAWN, seed=2))
    assert all(len(set(first.of(row))) == DRAWN.samples for row in range(len(PROMPTS)))
    assert not set(first.texts) & set(other.texts)
    assert not first.near.any()
    fewer = opened(folder).generate(PROMPTS, replace(DRAWN, samples=2))
    assert [first.of(row)[:2] for row in range(len(PROMPTS))] == [fewer.of(row) for row in range(len(PROMPTS))]


def test_greedy_samples_are_written_once(tiny):
    model = opened(tiny("gpt2", language=True))
    found = model.generate(PROMPTS, replace(TEN, samples=3, seed=7))
    assert model.counters.computed == len(PROMPTS)
    assert all(len(set(found.of(row))) == 1 for row in range(len(PROMPTS)))
    assert len(found.texts) == 3 * len(PROMPTS)


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.6)])
def test_draws_follow_the_probabilities(temperature, top_p, tiny):
    folder = tiny("gpt2", language=True)
    how = Decoding(max_tokens=1, samples=2000, temperature=temperature, top_p=top_p)
    model = opened(folder, budget=10**5)
    (prompt,) = PROMPTS[3:4]
    found = model.generate([prompt], how)
    plain = Plain(folder)
    expected = tempered(plain.next(prompt), temperature=temperature, top_p=top_p)
    # Tokens are told apart by their log-probability at temperature 1, which is the model's own.
    logs = np.log(plain.next(prompt))
    drawn = np.abs(found.logs[:, None] - logs).argmin(axis=1)
    assert np.allclose(found.logs, logs[drawn], atol=1e-4)
    counts = np.bincount(drawn, minlength=len(expected))
    assert counts[expected == 0].sum() == 0
    common = expected * 2000 >= 5
    observed = [*counts[common], counts[~common].sum()]
    wanted = 2000 * np.array([*expected[common], expected[~common].sum()])
    if not wanted[-1]:
        observed, wanted = observed[:-1], wanted[:-1]
    assert len(wanted) > 5
    assert stats.chisquare(observed, wanted * sum(observed) / wanted.sum()).pvalue > 0.001


def tempered(probabilities: np.ndarray, *, temperature: float, top_p: float) -> np.ndarray:
    """Nucleus sampling as it is defined: the fewest, most probable tokens that add up to `top_p`."""
    found = probabilities ** (1 / temperature)
    found /= found.sum()
    order = np.argsort(-found)
    kept = order[: int(np.searchsorted(np.cumsum(found[order]), top_p) + 1)]
    nucleus = np.zeros_like(found)
    nucleus[kept] = found[kept]
    return nucleus / nucleus.sum()


def test_noise_is_that_of_splitmix64_and_gumbel():
    # The first outputs of SplitMix64 from the state 1234567, as published with its reference implementation.
    gamma = 0x9E3779B97F4A7C15 - 2**64
    states = 1234567 + gamma * torch.arange(1, 6)
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert [number % 2**64 for number in mixed(states).tolist()] == known
    noise = gumbel(torch.arange(3), step=0, width=50_000)
    assert torch.isfinite(noise).all()
    assert stats.kstest(noise[0].numpy(), "gumbel_r").pvalue > 0.001
    other = gumbel(torch.arange(3), step=1, width=50_000)
    for one, two in ((noise[0], noise[1]), (noise[0], other[0])):
        assert abs(np.corrcoef(one.numpy(), two.numpy())[0, 1]) < 0.02


def test_asked_again_nothing_is_computed(tiny, tmp_path):
    folder = str(tiny("gpt2", language=True))
    for how in (TEN, DRAWN):
        first = opened(folder, cache=AnswerCache.open(tmp_path / "answers")).generate(PROMPTS, how)
        model = opened(folder, cache=AnswerCache.open(tmp_path / "answers"))
        again = model.generate(PROMPTS, how)
        assert model.counters.computed == 0
        assert model.counters.cached == len(again.texts)
        assert np.array_equal(first.logs, again.logs)
        assert the_same(first, again)
    model.generate(PROMPTS, replace(DRAWN, temperature=0.8))
    assert model.counters.computed == 3 * len(PROMPTS)


def test_interrupted_and_resumed_gives_the_same_bits(tiny, tmp_path):
    texts, how = different_texts(40), replace(DRAWN, samples=2)

    def engine(name):
        return opened(tiny("gpt2", language=True), budget=400, cache=AnswerCache.open(tmp_path / name))

    class Interrupted(BaseException):
        pass

    def stop(done, total):
        if done > total / 2:
            raise Interrupted

    expected = engine("whole").generate(texts, how)
    cut = engine("cut")
    cut.on_progress = stop
    with pytest.raises(Interrupted):
        cut.generate(texts, how)
    resumed = engine("cut")
    found = resumed.generate(texts, how)
    assert 0 < resumed.counters.cached < len(found.texts)
    assert np.array_equal(found.logs, expected.logs)
    assert the_same(found, expected)


def test_memory_that_runs_out_makes_the_pieces_smaller(tiny):
    folder = str(tiny("gpt2", language=True))
    expected = opened(folder).generate(PROMPTS, TEN)
    model = opened(folder)
    plain, largest = model.forward.network.generate, []

    def generate(**inputs):
        if len(inputs["input_ids"]) > 2:
            raise MemoryError
        largest.append(len(inputs["input_ids"]))
        return plain(**inputs)

    model.forward.network.generate = generate
    assert the_same(model.generate(PROMPTS, TEN), expected)
    assert max(largest) in (1, 2)


def edit(folder: Path, name: str, **settings) -> None:
    path = folder / name
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(content | settings))


def test_the_taste_of_the_checkpoint_is_left_out(tiny, own):
    """Penalties, beams and temperatures in generation_config.json change nothing."""
    expected = opened(tiny("gpt2", language=True)).generate(PROMPTS, TEN)
    folder = own("gpt2", language=True)
    taste = {"repetition_penalty": 1.8, "no_repeat_ngram_size": 2, "do_sample": True, "temperature": 3.0}
    limits = {"max_length": 12, "min_length": 11, "forced_eos_token_id": 0, "bad_words_ids": [[300], [301, 302]]}
    edit(folder, "generation_config.json", **taste, **limits)
    model = load(str(folder), device="cpu")
    assert the_same(model.generate(PROMPTS, TEN), expected)
    assert model.forward.network.generation_config.repetition_penalty == 1.8
    assert model.card.fingerprint != describe(str(tiny("gpt2", language=True))).fingerprint


def test_any_of_several_tokens_ends_a_text(tiny, own):
    greedy = opened(tiny("gpt2", language=True)).generate(PROMPTS, TEN)
    plain = Plain(tiny("gpt2", language=True))
    third = [plain.write(plain.ids(prompt))[2] for prompt in PROMPTS]
    folder = own("gpt2", language=True)
    edit(folder, "generation_config.json", eos_token_id=[0, *third])
    found = load(str(folder), device="cpu").generate(PROMPTS, TEN)
    assert (found.tokens <= 3).all()
    assert found.finished.all()
    assert (greedy.tokens > 3).any()
    assert all(long.startswith(short) for long, short in zip(greedy.texts, found.texts, strict=True))
    ids = plain.ids(PROMPTS[0])
    assert found.logs[0] == pytest.approx(plain.logs(ids, plain.write(ids)[: found.tokens[0]]), abs=1e-4)


def test_a_text_to_stop_at_is_cut_off_wherever_it_stands(tiny):
    model = opened(tiny("gpt2", language=True))
    whole = model.generate(PROMPTS, TEN)
    text = whole.texts[0]
    for stop in (text[2], text[3:6], text[1:5] + "never", "\x00\x00never"):
        found = model.generate(PROMPTS, replace(TEN, stop=(stop,)))
        before, here, _ = text.partition(stop)
        assert found.texts[0] == before.strip()
        assert found.finished[0] == bool(here)
        assert (found.tokens[0] < whole.tokens[0]) == bool(here)
        assert (found.logs[0] > whole.logs[0]) == bool(here)


def test_stopping_early_changes_no_result(tiny, monkeypatch):
    folder, how = str(tiny("gpt2", language=True)), replace(TEN, max_tokens=24, stop=("o", " the", "\x18"))
    early = load(folder, device="cpu").generate(SENTENCES, how)
    assert early.finished.any()
    late = load(folder, device="cpu")
    monkeypatch.setattr(type(late.encoder), "holding", lambda *_: np.zeros(0, dtype=np.int64))
    assert the_same(late.generate(SENTENCES, how), early)


def test_a_prompt_that_is_too_long_loses_its_beginning(tiny):
    folder = tiny("llama", language=True)
    model, plain = opened(folder), Plain(folder)
    long = " ".join(SENTENCES)
    found = model.generate([long, "A fox."], TEN)
    whole = plain.ids(long)[0]
    room = model.card.max_length - TEN.max_tokens
    kept = torch.cat([whole[:1], whole[len(whole) - room + 1 :]])[None]
    assert found.texts[0] == plain.text(plain.write(kept))
    assert found.cut.tolist() == [len(whole) - room, 0]
    # More than half of what the model reads is not written: room for the prompt stays.
    assert model.generate([long], Decoding(max_tokens=500)).tokens[0] == model.card.max_length // 2


def test_near_ties_of_greedy_choices_are_told(tiny):
    folder = tiny("gpt2", language=True)
    model, plain = opened(folder), Plain(folder)
    gaps = [plain.smallest_gap(plain.ids(prompt), plain.write(plain.ids(prompt))) for prompt in PROMPTS]
    assert model.generate(PROMPTS, TEN).near.tolist() == [gap < 1e-4 for gap in gaps]
    assert max(gaps) > 1e-2
    head = model.forward.network.lm_head
    with torch.no_grad():  # two tokens for one: whatever wins is tied with its twin
        model.forward.network.lm_head = torch.nn.Linear(*head.weight.T.shape, bias=False)
        model.forward.network.lm_head.weight.copy_(head.weight)
        model.forward.network.lm_head.weight[1::2] = model.forward.network.lm_head.weight[:-1:2]
    fresh = replace(model, cache=AnswerCache.open(None))
    assert fresh.generate(PROMPTS, TEN).near.all()
    assert not fresh.generate(PROMPTS, DRAWN).near.any()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_types_write_too(dtype, tiny):
    model = opened(tiny("llama", language=True), dtype=dtype)
    found = model.generate(PROMPTS, TEN)
    assert np.isfinite(found.logs).all()
    assert found.tolerance > 0.01
    assert (found.tokens == 10).all()


def test_broken_weights_are_told(tiny):
    model = opened(tiny("llama", language=True))
    with torch.no_grad():
        model.forward.network.lm_head.weight[0] = float("nan")
    for how in (TEN, DRAWN):
        with pytest.raises(ModelError, match="NaN or infinite"):
            model.generate(PROMPTS, how)


def test_a_network_that_cannot_write_is_told(tiny):
    model = opened(tiny("llama", language=True))
    model.forward.network.can_generate = lambda: False
    with pytest.raises(ModelError, match="no way to let a LlamaForCausalLM write"):
        model.generate(PROMPTS, TEN)


def test_models_whose_padding_matters_get_batches_of_one_length(tiny):
    """As RWKV: the position of a token is where it stands in the batch, whatever stands before it."""
    folder = tiny("gpt2", language=True)
    plain = AutoModelForCausalLM.from_pretrained

    class Blind(type(plain(folder))):
        def forward(self, *args, position_ids=None, attention_mask=None, **inputs):
            return super().forward(*args, **inputs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("probes.model.network._loader", lambda card: Blind)
        model = load(str(folder), device="cpu")
    single = replace(model, cache=AnswerCache.open(None))
    alone = [single.generate([prompt], TEN).texts[0] for prompt in PROMPTS]
    assert (model.pads, model.pads_left) == (True, False)
    assert list(model.generate(PROMPTS, TEN).texts) == alone
    assert list(replace(model, pads_left=True, cache=AnswerCache.open(None)).generate(PROMPTS, TEN).texts) != alone


def test_a_chat_model_is_given_the_message_of_a_user(tiny):
    folder = tiny("llama", language=True, chat=CHAT)
    model, plain = opened(folder), Plain(folder)
    assert model.card.chat
    assert not describe(str(tiny("llama", language=True))).chat
    found = model.generate(PROMPTS, TEN)
    for prompt, text in zip(PROMPTS, found.texts, strict=True):
        told = f"<s>user: {prompt}</s><s>assistant:"
        ids = plain.tokenizer(told, add_special_tokens=False, return_tensors="pt")["input_ids"]
        assert text == plain.text(plain.write(ids))
    bare = model.generate(PROMPTS, replace(TEN, reply=False))
    expected = opened(tiny("llama", language=True)).generate(PROMPTS, TEN)
    assert list(bare.texts) == list(expected.texts)
    assert list(bare.texts) != list(found.texts)


def test_a_message_that_is_too_long_keeps_the_template(tiny):
    folder = tiny("llama", language=True, chat=CHAT)
    model, plain = opened(folder), Plain(folder)
    long = " ".join(SENTENCES)
    found = model.generate([long], TEN)
    ids = plain.tokenizer(f"<s>user: {long}</s><s>assistant:", add_special_tokens=False)["input_ids"]
    head = plain.tokenizer("<s>user:", add_special_tokens=False)["input_ids"]
    room = model.card.max_length - TEN.max_tokens
    kept = [*head, *ids[len(ids) - room + len(head) :]]
    assert found.texts == [plain.text(plain.write(torch.tensor([kept])))]
    assert found.cut.tolist() == [len(ids) - room]


def test_a_template_in_a_file_of_its_own_is_found_and_counts(own):
    folder = own("llama", language=True)
    before = describe(str(folder))
    (folder / "chat_template.jinja").write_text(CHAT)
    after = describe(str(folder))
    assert (before.chat, after.chat) == (False, True)
    assert before.fingerprint != after.fingerprint
    assert load(str(folder), device="cpu").generate(["A fox."], TEN).tokens[0] == 10


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('only in threes') }}",
        "{% if %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages[0]['content']['text']['deep'] }}",
    ],
)
def test_a_template_that_fails_is_one_clear_error(template, tiny):
    with pytest.raises(ModelError, match="chat template of the tokenizer fails") as error:
        load(str(tiny("llama", language=True, chat=template)), device="cpu")
    assert "chat_template" in error.value.hint


@pytest.mark.parametrize("template", ["Say something kind.", "{{ messages[0]['role'] }}"])
def test_a_template_that_leaves_the_message_out_is_refused(template, own):
    folder = own("llama", language=True, chat=CHAT)
    edit(folder, "tokenizer_config.json", chat_template=template)
    with pytest.raises(ModelError, match="same prompt of different messages") as error:
        load(str(folder), device="cpu")
    assert "chat_template" in error.value.hint


LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "what"),
    [(LOOP, "more than 0.1 seconds"), ("{{ 'x' * 999999 + messages[0]['content'] }}", "1,000,005 characters of 6")],
)
def test_a_template_without_an_end_is_stopped(template, what, monkeypatch):
    monkeypatch.setattr(chat, "RENDERED_WITHIN", 0.1)
    started = time.process_time()
    with pytest.raises(ModelError, match=what) as error:
        chat.rendered(TemplateOnly(template), "A fox.")
    assert time.process_time() - started < 2
    assert "chat_template" in error.value.hint


class TemplateOnly:
    """A tokenizer as far as chat templates go."""

    def __init__(self, template: str) -> None:
        self.template = template

    def apply_chat_template(self, messages, *, tokenize, add_generation_prompt):
        return ImmutableSandboxedEnvironment().from_string(self.template).render(messages=messages)


def test_a_model_that_reads_three_tokens_is_refused(own):
    folder = own("llama", language=True)
    edit(folder, "tokenizer_config.json", model_max_length=3)
    with pytest.raises(ModelError, match="reads only 3 tokens") as error:
        load(str(folder), device="cpu")
    assert "model_max_length" in error.value.hint


def test_a_thought_is_left_in_the_text(tiny):
    """Nothing is taken out of what was written but special tokens."""
    model = opened(tiny("gpt2", language=True))
    ids = model.encoder.encode_bare(["<think>hm</think> yes"])[0]
    written = [*ids, 0]
    row = np.array([[len(written), 1, 30, *written, *([0] * (30 - len(written))), *([-0.5] * 30)]], dtype=np.float32)
    model.rows = lambda *_, **__: row
    assert model.generate(["What?"], Decoding(max_tokens=30)).texts == ["<think>hm</think> yes"]


@pytest.mark.parametrize(
    "settings",
    [
        {"padding_side": "right"},
        {"padding_side": "left"},
        {"pad_token": "<|endoftext|>"},
        {"model_max_length": 10**30},
        {"truncation_side": "left"},
    ],
)
def test_settings_of_the_tokenizer_change_nothing(settings, tiny, own):
    expected = opened(tiny("gpt2", language=True)).generate(PROMPTS, TEN)
    folder = own("gpt2", language=True)
    edit(folder, "tokenizer_config.json", **settings)
    assert the_same(load(str(folder), device="cpu").generate(PROMPTS, TEN), expected)


def test_a_tokenizer_without_any_token_to_end_with_writes_to_the_limit(own):
    folder = own("gpt2", language=True)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    kept = {key: value for key, value in config.items() if key not in ("bos_token", "eos_token", "unk_token")}
    (folder / "tokenizer_config.json").write_text(json.dumps(kept))
    edit(folder, "config.json", bos_token_id=None, eos_token_id=None)
    edit(folder, "generation_config.json", bos_token_id=None, eos_token_id=None)
    model = load(str(folder), device="cpu")
    assert model.habits.ends == ()
    found = model.generate(PROMPTS, TEN)
    assert (found.tokens == 10).all()
    assert not found.finished.any()
    with pytest.raises(DataError, match="empty"):
        model.generate(["", "A fox."], TEN)


def test_an_empty_prompt_begins_where_texts_begin(tiny):
    folder = tiny("gpt2", language=True)
    plain = Plain(folder)
    found = opened(folder).generate(["", "A fox."], TEN)
    assert found.texts[0] == plain.text(plain.write(torch.tensor([[0]])))
    assert len(opened(folder).generate([], TEN)) == 0


def test_only_language_models_write(tiny):
    assert Capability.GENERATE in describe(str(tiny("gpt2", language=True))).capabilities
    assert Capability.GENERATE not in describe(str(tiny("gpt2"))).capabilities
    assert Capability.GENERATE not in describe(str(tiny("bert", language=True))).capabilities


def test_repeated_prompts_cost_nothing_extra(tiny):
    model = opened(tiny("gpt2", language=True))
    found = model.generate([*PROMPTS, *PROMPTS], DRAWN)
    assert model.counters.computed == 3 * len(PROMPTS)
    assert found.texts[: len(found.texts) // 2] == found.texts[len(found.texts) // 2 :]
    assert Counter(found.texts).most_common(1)[0][1] == 2


def watched(model, monkeypatch):
    """The (rows, tokens) of everything that goes through a network from now on."""
    seen, plain = [], type(model.forward.network).forward

    @wraps(plain)  # `generate` looks at its arguments
    def forward(self, input_ids=None, **inputs):
        seen.append(tuple(input_ids.shape))
        return plain(self, input_ids=input_ids, **inputs)

    monkeypatch.setattr(type(model.forward.network), "forward", forward)
    return seen


@pytest.mark.parametrize("arch", CAUSAL)
def test_texts_that_have_ended_are_left_out(arch, tiny, monkeypatch):
    folder = str(tiny(arch, language=True))
    model = load(folder, device="cpu")
    how = Decoding(max_tokens=30, samples=8, temperature=1.2, seed=4, stop=("o", "e", "a", " "))
    seen = watched(model, monkeypatch)
    found = model.generate(PROMPTS, how)
    short = sum(rows * tokens for rows, tokens in seen)
    seen.clear()
    monkeypatch.setattr("probes.model.language_questions.goes_on", lambda _: False)
    assert the_same(replace(model, cache=AnswerCache.open(None)).generate(PROMPTS, how), found)
    assert short < 0.7 * sum(rows * tokens for rows, tokens in seen)


@pytest.mark.parametrize("arch", CAUSAL)
def test_a_prompt_is_read_once_for_all_its_samples(arch, tiny, monkeypatch):
    model = load(str(tiny(arch, language=True)), device="cpu")
    seen = watched(model, monkeypatch)
    found = model.generate(PROMPTS, DRAWN)
    assert seen[0][0] == len(PROMPTS)
    assert seen[1] == (3 * len(PROMPTS), 1)
    alone = replace(model, cache=AnswerCache.open(None), budget=1)
    assert the_same(alone.generate(PROMPTS, DRAWN), found)


def test_transformers_warns_of_no_mask_that_is_not_needed(own):
    folder = own("gpt2", language=True)
    model = load(str(folder), device="cpu")
    model.forward.network.config.pad_token_id = model.encoder.opening[0]
    logging.warning_once.cache_clear()
    said = []
    listener = Handler(level=WARNING)
    listener.emit = said.append
    logger = getLogger("transformers")
    logger.addHandler(listener)
    try:
        model.generate([""], TEN)
    finally:
        logger.removeHandler(listener)
    assert said == []
