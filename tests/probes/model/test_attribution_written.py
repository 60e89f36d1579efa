"""Which words of a prompt pushed a generator to what it wrote."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from probes.core.attributions import Attribution, Baseline, Method
from probes.core.errors import ModelError
from probes.core.generations import Decoding
from probes.core.words import Span, spans
from probes.model.cache import AnswerCache
from probes.model.pooling import pooled
from tests.probes.model.conftest import opened
from tests.tiny_models import CHAT, SENTENCES

pytestmark = pytest.mark.engine

PROMPTS = ["The film was good and the music", "What an awful, dull", "(She read) the book twice"]
WRITTEN = ["was lovely, but", "lesson", "and the film once more"]
IG = Method.INTEGRATED_GRADIENTS
ABLATION = Method.FEATURE_ABLATION
MODELS = ("gpt2", "llama", "t5", "bart")
SMOOTH = {
    "gpt2": {"initializer_range": 0.1},
    "llama": {"initializer_range": 0.1},
    "t5": {"initializer_factor": 1.0},
    "bart": {"init_std": 0.1},
}
"""Weights of the size of trained ones."""


@pytest.fixture(scope="module")
def model(tiny):
    """`model(arch)`: a language model with an empty cache of its own."""

    def of(arch: str, **settings):
        chat = settings.pop("chat", None)
        return opened(tiny(arch, language=True, config=SMOOTH[arch], chat=chat), **settings)

    return of


def vector(found: Attribution) -> np.ndarray:
    return np.array([*found.scores, found.special, found.output, found.baseline_output or 0.0])


def log_probability(model, ids, written, *, vectors=None):
    """By transformers alone: of the last `written` of (1, tokens) ids, one text at a time."""
    inputs = {"input_ids": ids} if vectors is None else {"inputs_embeds": vectors}
    with torch.inference_mode():
        logs = model.forward.network(**inputs).logits.double().log_softmax(dim=-1)[0, :-1]
    return float(logs.gather(1, ids[0, 1:, None])[-written:].sum())


def causal_rows(model, prompt, written):
    """(1, tokens) ids of a prompt and what follows, and how many of them follow."""
    tokenizer = model.encoder.tokenizer
    own = tokenizer(prompt, add_special_tokens=False).input_ids
    ids = [tokenizer.bos_token_id, *own, *tokenizer(f" {written}", add_special_tokens=False).input_ids]
    return torch.tensor([ids]), len(ids) - 1 - len(own)


@pytest.mark.parametrize("arch", ["gpt2", "llama"])
def test_one_word_at_a_time_is_left_out(model, arch):
    model = model(arch)
    pad = model.forward.pad
    for found in model.attribute_written(PROMPTS, WRITTEN, method=ABLATION, baseline=Baseline.PAD):
        ids, count = causal_rows(model, found.text, found.target)
        offsets = model.encoder.tokenizer(found.text, add_special_tokens=False, return_offsets_mapping=True)
        assert found.words == spans(found.text)
        assert found.output == pytest.approx(log_probability(model, ids, count), abs=1e-4)
        for span, score in zip(found.words, found.scores, strict=True):
            left = ids.clone()
            for place, (start, end) in enumerate(offsets["offset_mapping"]):
                if start < span.end and end > span.start and found.text[start:end].strip():
                    left[0, 1 + place] = pad
            if len(set(found.text[span.start : span.end]) - set(".,()")):  # signs may share the token of a word
                assert score == pytest.approx(found.output - log_probability(model, left, count), abs=1e-4)
        assert found.special == 0


@pytest.mark.parametrize("arch", ["gpt2", "llama"])
@pytest.mark.parametrize("method", [ABLATION, Method.OCCLUSION])
def test_leaving_words_out_is_captums_own_attribution_of_language_models(model, arch, method):
    """Equal to `seq_attr` of LLMAttribution(FeatureAblation) with a word as a feature."""
    from captum.attr import FeatureAblation, LLMAttribution, TextTemplateInput

    model = model(arch)
    tokenizer, network = untouched(model), model.forward.network
    prompt, written = "The film was good and the music", "was lovely, but"
    (found,) = model.attribute_written([prompt], [written], method=method, baseline=Baseline.PAD)
    words = [prompt[span.start : span.end] for span in spans(prompt)]
    values = [words[0], *(f" {word}" for word in words[1:])]
    counts = [len(tokenizer(value, add_special_tokens=False).input_ids) for value in values]
    pad = tokenizer.convert_ids_to_tokens(model.forward.pad)
    given = TextTemplateInput(
        tokenizer.bos_token + "{}" * len(values),
        values=values,
        baselines=[pad * count for count in counts],
    )
    target = torch.tensor(tokenizer(f" {written}", add_special_tokens=False).input_ids)
    # Its cache of keys and values reads tokens twice with this transformers.
    theirs = LLMAttribution(FeatureAblation(network), tokenizer).attribute(
        given, target=target, use_cached_outputs=False
    )
    np.testing.assert_allclose(found.scores, theirs.seq_attr.double().numpy(), atol=1e-4)


def untouched(model):
    """A tokenizer of its own that adds nothing to a text: ours belongs to the encoder."""
    from tokenizers.processors import ByteLevel
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.card.source)
    tokenizer.backend_tokenizer.post_processor = ByteLevel(trim_offsets=False)
    return tokenizer


@pytest.mark.parametrize("arch", ["gpt2", "llama"])
def test_integrated_gradients_are_captums_own_of_language_models(model, arch):
    """Equal to `seq_attr` of LLMGradientAttribution(LayerIntegratedGradients) of 200 steps, token by token."""
    from captum.attr import LayerIntegratedGradients, LLMGradientAttribution, TextTokenInput

    model = model(arch)
    tokenizer, network = untouched(model), model.forward.network
    prompt, written = "The film was good and the music", "was lovely"
    (found,) = model.attribute_written([prompt], [written], baseline=Baseline.PAD)
    given = TextTokenInput(
        tokenizer.bos_token + prompt, tokenizer, baselines=model.forward.pad, skip_tokens=[tokenizer.bos_token_id]
    )
    method = LayerIntegratedGradients(network, network.get_input_embeddings())
    target = torch.tensor(tokenizer(f" {written}", add_special_tokens=False).input_ids)
    theirs = LLMGradientAttribution(method, tokenizer).attribute(given, target=target, n_steps=200)
    sequences = model._continued([prompt], [written], reply=True)[2].sequences
    owner = sequences.words_of(0)[1 : 1 + len(theirs.seq_attr)]
    _, scores, _, _ = pooled(prompt, owner, theirs.seq_attr.double().numpy())
    np.testing.assert_allclose(found.scores, scores, atol=2e-3 * np.abs(scores).max())


@pytest.mark.parametrize("arch", MODELS)
def test_weights_add_up_to_the_log_probability(model, arch):
    for found in model(arch).attribute_written(PROMPTS, WRITTEN):
        assert found.baseline is (Baseline.MASK if arch == "bart" else Baseline.MEAN)
        assert found.relative_delta < (0.05 if arch == "t5" else 0.01)  # its rectifiers break the path in pieces
        assert abs(found.output - found.baseline_output) > 1e-3


@pytest.mark.parametrize("arch", MODELS)
def test_what_is_explained_is_what_is_scored(model, arch):
    model = model(arch)
    scores = model.score_written(PROMPTS, WRITTEN)
    for method in (IG, ABLATION, Method.INPUT_X_GRADIENT):
        found = model.attribute_written(PROMPTS, WRITTEN, method=method)
        np.testing.assert_allclose([each.output for each in found], scores.totals, atol=1e-4)
    pairs = model.score(list(zip(PROMPTS, WRITTEN, strict=True)))
    np.testing.assert_allclose(scores.totals, pairs.totals, atol=1e-6)


@pytest.mark.parametrize("arch", ["t5", "bart"])
def test_an_encoder_reads_the_prompt_without_the_word(model, arch):
    model = model(arch)
    network, tokenizer = model.forward.network, model.encoder.tokenizer
    stand_in = tokenizer.mask_token_id if arch == "bart" else None
    baseline = Baseline.MASK if arch == "bart" else Baseline.PAD
    stand_in = model.forward.pad if stand_in is None else stand_in
    (found,) = model.attribute_written(PROMPTS[:1], WRITTEN[:1], method=ABLATION, baseline=baseline)
    given = tokenizer(PROMPTS[0], return_offsets_mapping=True, return_tensors="pt")
    labels = torch.tensor([tokenizer(WRITTEN[0], add_special_tokens=False).input_ids])
    opening = torch.tensor([model._aim.opening])

    def total(ids):
        read = torch.cat([opening, labels[:, :-1]], dim=1)
        with torch.inference_mode():
            logits = network(input_ids=ids, attention_mask=given.attention_mask, decoder_input_ids=read).logits
        logs = logits[:, opening.shape[1] - 1 :].double().log_softmax(dim=-1)
        return float(logs.gather(2, labels[..., None]).sum())

    assert found.output == pytest.approx(total(given.input_ids), abs=1e-4)
    for span, score in zip(found.words, found.scores, strict=True):
        left = given.input_ids.clone()
        for place, (start, end) in enumerate(given.offset_mapping[0].tolist()):
            if start < span.end and end > span.start:
                left[0, place] = stand_in
        assert score == pytest.approx(found.output - total(left), abs=1e-4)


def test_only_the_message_of_a_user_is_explained(model):
    """The template stays as it is, and so does what was written."""
    model = model("llama", chat=CHAT)
    prompts = ["assistant", "  user: what a film ", *PROMPTS]
    written = ["a film", "yes", *WRITTEN]
    for found, prompt in zip(model.attribute_written(prompts, written, method=ABLATION), prompts, strict=True):
        assert found.words == spans(prompt)
        assert found.special == 0
    for found in model.attribute_written(prompts, written):
        assert abs(found.special) < 1e-6 or " " in found.text
        assert found.relative_delta < 0.01
    bare = model.attribute_written(PROMPTS, WRITTEN, reply=False)
    assert [each.output for each in bare] != [each.output for each in model.attribute_written(PROMPTS, WRITTEN)]


def test_a_reply_is_scored_as_it_was_written(model):
    model = model("llama", chat=CHAT)
    generations = model.generate(PROMPTS, Decoding(max_tokens=6))
    kept = [row for row, text in enumerate(generations.texts) if text and text in SENTENCES[0]]
    scores = model.score_written([PROMPTS[row] for row in kept], [generations.texts[row] for row in kept])
    assert np.isfinite(scores.totals).all()


def test_a_template_that_changes_the_message_is_told(model):
    shouting = CHAT.replace("message['content']", "message['content'] | upper")
    with pytest.raises(ModelError, match="changes what a user writes"):
        model("llama", chat=shouting).attribute_written(PROMPTS, WRITTEN)


def test_nothing_written_cannot_be_explained(model):
    with pytest.raises(ValueError, match="nothing was written"):
        model("gpt2").attribute_written(PROMPTS[:1], [" "])


def test_a_long_prompt_loses_its_beginning(model):
    model = model("gpt2")
    prompt = " ".join(SENTENCES)
    (found,) = model.attribute_written([prompt], ["lovely"], method=ABLATION)
    assert found.words == spans(prompt)[-len(found.words) :]
    assert found.unread == len(spans(prompt)) - len(found.words) > 0
    assert found.words[-1] == spans(prompt)[-1]


@pytest.mark.parametrize(("arch", "method"), [("gpt2", IG), ("gpt2", Method.LIME), ("t5", ABLATION)])
def test_neither_order_nor_company_nor_memory_changes_an_attribution(model, arch, method):
    apart, short = model(arch), model(arch, budget=40)
    together = apart.attribute_written(PROMPTS, WRITTEN, method=method)
    back = short.attribute_written(PROMPTS[::-1], WRITTEN[::-1], method=method)[::-1]
    for one, other in zip(together, back, strict=True):
        np.testing.assert_allclose(vector(one), vector(other), atol=2e-4)
        assert one.words == other.words


def test_what_was_asked_before_is_not_asked_again(model, tmp_path):
    cache = AnswerCache.open(tmp_path / "cache.sqlite")
    model = model("gpt2", cache=cache)
    first = model.attribute_written(PROMPTS, WRITTEN)
    model.take_counters()
    again = model.attribute_written([*PROMPTS, PROMPTS[0]], [*WRITTEN, WRITTEN[0]])
    counters = model.take_counters()
    assert (counters.asked, counters.distinct, counters.cached, counters.computed) == (4, 3, 3, 0)
    assert [vector(each).tolist() for each in again[:3]] == [vector(each).tolist() for each in first]
    other = model.attribute_written(PROMPTS[:1], WRITTEN[1:2])
    assert vector(other[0]).tolist() != vector(first[0]).tolist()
    assert model.take_counters().computed == 1


def test_words_are_where_they_stand_in_the_prompt(model):
    (found,) = model("llama").attribute_written(["(a)  film"], ["good"], method=ABLATION)
    assert found.words == (Span(0, 0, 1), Span(0, 1, 2), Span(0, 2, 3), Span(0, 5, 9))
