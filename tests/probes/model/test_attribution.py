from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from probes.core.attributions import COMPLETE, GRADIENT, Attribution, Baseline, Jitter, Method
from probes.core.errors import ModelError
from probes.core.words import spans
from probes.model.asked import Asked
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.integration import integrated
from probes.model.load import load
from probes.model.pooling import SPECIAL, pooled
from tests.probes.model.conftest import different_texts, opened
from tests.tiny_models import MAX_LENGTH, SENTENCES

pytestmark = pytest.mark.engine

PAIR = (SENTENCES[1], SENTENCES[4])
TEXTS = [*SENTENCES[:4], PAIR]
TARGETS = ["positive", "negative", "positive", "negative", "positive"]
SMOOTH = {"initializer_range": 0.1}
"""Weights of the size of trained ones."""
IG = Method.INTEGRATED_GRADIENTS
COMPARING = sorted(set(Method) - {Method.SALIENCY, Method.INPUT_X_GRADIENT})


def vector(found: Attribution) -> np.ndarray:
    return np.array([*found.scores, found.special, found.output, found.baseline_output or 0.0])


def close(left: list[Attribution], right: list[Attribution], *, atol: float) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(vector(one), vector(other), atol=atol)


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def captums(model, text, target, *, steps=200):
    """(tokens,) by captum's own LayerIntegratedGradients on token ids, baseline [MASK], special tokens kept."""
    from captum.attr import LayerIntegratedGradients

    network = model.forward.network
    rows = model.encoder.encode_words([text])
    ids, mask, types = model.forward.inputs(Batch(rows))
    base = torch.where(torch.from_numpy(rows.words)[None] == SPECIAL, ids, model.encoder.tokenizer.mask_token_id)

    def logits(ids, mask, types):
        extra = {} if types is None else {"token_type_ids": types}
        return network(input_ids=ids, attention_mask=mask, **extra).logits

    method = LayerIntegratedGradients(logits, network.get_input_embeddings())
    found = method.attribute(
        ids, base, target=model.card.labels.index(target), additional_forward_args=(mask, types), n_steps=steps
    )
    return found.sum(dim=-1)[0].double().numpy(), rows


@pytest.mark.parametrize("arch", ["bert", "albert", "roberta"])
def test_integrated_gradients_are_captums_own_of_two_hundred_steps(tiny, arch):
    model = opened(tiny(arch, config=SMOOTH))
    texts = TEXTS[-2:] if arch == "bert" else TEXTS[:2]
    for text, target, ours in zip(texts, TARGETS[:2], model.attribute(texts, TARGETS[:2]), strict=True):
        theirs, rows = captums(model, text, target)
        words, scores, special, _ = pooled(text, rows.words, theirs)
        assert ours.words == words
        assert cosine(ours.scores, scores) > 0.999
        assert np.abs(ours.scores - scores).max() < 2e-3 * np.abs(scores).max()
        assert special == pytest.approx(ours.special, abs=1e-6)


@pytest.mark.parametrize("arch", ["roberta", "xlm-roberta"])
def test_position_ids_stay_when_the_baseline_is_padding(tiny, arch):
    """captum on token ids is several percent off here, because position ids are made from the ids."""
    model = opened(tiny(arch, config=SMOOTH))
    for found in model.attribute(SENTENCES, ["positive"] * len(SENTENCES), baseline=Baseline.PAD):
        assert found.baseline is Baseline.PAD
        assert abs(found.delta) < 1e-3 * max(abs(found.output - found.baseline_output), 0.01)


@pytest.mark.parametrize("arch", ["gpt2", "llama"])
@pytest.mark.parametrize("method", [IG, Method.OCCLUSION])
def test_a_decoder_is_asked_at_its_last_token_beside_longer_texts_too(tiny, arch, method):
    model = opened(tiny(arch))
    found = model.attribute(SENTENCES, ["positive"] * len(SENTENCES), method=method)
    logits = model.classify(SENTENCES).logits[:, 1]
    np.testing.assert_allclose([each.output for each in found], logits, atol=1e-5)
    shortest = min(range(len(SENTENCES)), key=lambda row: len(SENTENCES[row]))
    alone = opened(tiny(arch)).attribute([SENTENCES[shortest]], ["positive"], method=method)
    close([found[shortest]], alone, atol=2e-5)


@pytest.mark.parametrize("method", Method)
def test_the_company_and_the_order_of_texts_have_no_influence(tiny, method):
    folder = str(tiny("bert", config=SMOOTH))
    texts = ["A superb meal.", "The tea was not great!", ("My phone broke", "nobody answered")]
    together = opened(folder).attribute(texts, TARGETS[:3], method=method)
    order = [2, 0, 1]
    alone = opened(folder, budget=60)
    shuffled = alone.attribute([texts[row] for row in order], [TARGETS[row] for row in order], method=method)
    close([together[row] for row in order], shuffled, atol=1e-5)
    half = opened(folder).attribute(texts[1:], TARGETS[1:3], method=method)
    close(together[1:], half, atol=1e-5)


@pytest.mark.parametrize("method", [IG, Method.KERNEL_SHAP])
def test_answered_from_the_cache_byte_for_byte(tiny, tmp_path, method):
    folder, path = str(tiny("bert")), tmp_path / "answers.sqlite"
    model = opened(folder, cache=AnswerCache.open(path))
    first = model.attribute([*TEXTS, TEXTS[0].upper()], [*TARGETS, TARGETS[0]], method=method)  # ids ignore case
    counters = model.take_counters()
    assert (counters.asked, counters.distinct, counters.cached, counters.computed) == (6, 5, 0, 5)
    assert counters.tokens == model.encoder.encode(TEXTS).lengths.sum()
    assert counters.forward_seconds > 0
    model.cache.close()
    again = opened(folder, cache=AnswerCache.open(path))
    again.explainer.embedding  # noqa: B018 - found with one forward pass
    again.forward.network = None
    second = again.attribute([*reversed(TEXTS)], [*reversed(TARGETS)], method=method)
    assert again.take_counters().computed == 0
    for one, other in zip(first[:5], reversed(second), strict=True):
        assert vector(one).tobytes() == vector(other).tobytes()
        assert one.points == other.points


def test_what_an_answer_depends_on_keeps_it_apart_in_the_cache(tiny):
    model = opened(tiny("bert"))
    asked = [
        {},
        {"method": Method.GRADIENT_SHAP},
        {"baseline": Baseline.PAD},
        {"baseline": Baseline.MEAN},
        {"jitter": Jitter(radius=0.1, seed=0)},
        {"jitter": Jitter(radius=0.1, seed=1)},
        {"jitter": Jitter(radius=0.2, seed=1)},
    ]
    found = [model.attribute([TEXTS[0]], [label], **settings)[0] for settings in asked for label in model.card.labels]
    assert model.take_counters().computed == 2 * len(asked)
    assert len({each.scores.tobytes() for each in found}) == 2 * len(asked)
    model.attribute([TEXTS[0]], ["positive"], baseline=Baseline.MASK)  # the usual one of this model
    assert model.take_counters().computed == 0


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_call_gives_the_same_bits_when_asked_again(tiny, after):
    folder, texts = str(tiny("bert", config=SMOOTH)), different_texts(20)
    targets = ["positive"] * len(texts)
    whole = opened(folder, budget=1200).attribute(texts, targets)
    model, calls = opened(folder, budget=1200), []

    def stop(done, total):
        calls.append(done)
        if len(calls) > after:
            raise KeyboardInterrupt

    model.on_progress = stop
    with pytest.raises(KeyboardInterrupt):
        model.attribute(texts, targets)
    assert 0 < calls[-1] < len(texts)
    model.on_progress = None
    model.take_counters()
    resumed = model.attribute(texts, targets)
    assert model.take_counters().cached == calls[-1]
    assert [vector(each).tobytes() for each in resumed] == [vector(each).tobytes() for each in whole]


@pytest.mark.parametrize("method", sorted(set(Method) - GRADIENT | {Method.GRADIENT_SHAP}))
def test_what_is_drawn_is_drawn_again(tiny, method):
    folder = str(tiny("bert"))
    torch.manual_seed(3)
    np.random.seed(3)
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    one, other = (opened(folder).attribute(TEXTS[:2], TARGETS[:2], method=method) for _ in range(2))
    close(one, other, atol=0)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.random.get_rng_state(), torch_state)


def test_jitter_moves_gradients_a_little_and_special_tokens_not_at_all(tiny):
    model = opened(tiny("bert", config=SMOOTH))
    (plain,) = model.attribute([TEXTS[0]], ["positive"])
    moves = []
    for radius in (1e-6, 0.01, 0.1):
        (found,) = model.attribute([TEXTS[0]], ["positive"], jitter=Jitter(radius=radius, seed=0))
        moves.append(np.abs(found.scores - plain.scores).max() / np.abs(plain.scores).max())
        assert found.special == pytest.approx(0, abs=1e-6)
        assert found.relative_delta < 0.01
    assert moves[0] < 1e-4 < moves[1] < moves[2]


def test_words_beyond_the_limit_are_unread(tiny):
    model = opened(tiny("bert"))
    text = " ".join(SENTENCES)
    for method in (IG, Method.FEATURE_ABLATION):
        (found,) = model.attribute([text], ["positive"], method=method)
        assert found.unread + len(found.words) == len(spans(text))
        assert found.unread > 20
        assert len(model.encoder.encode([text]).ids) == MAX_LENGTH


def test_both_texts_of_a_pair_are_explained(tiny):
    (found,) = opened(tiny("bert")).attribute([PAIR], ["positive"])
    assert found.words == spans(PAIR)
    assert {span.part for span in found.words} == {0, 1}
    assert np.abs(found.scores).min() > 0


def without(model, text, number):
    """The target's logit of `text` with the tokens of one word masked, by the network alone."""
    rows = model.encoder.encode_words([text])
    ids = torch.from_numpy(np.where(rows.words == number, model.encoder.tokenizer.mask_token_id, rows.ids))[None].long()
    extra = {} if rows.types is None else {"token_type_ids": torch.from_numpy(rows.types)[None].long()}
    with torch.no_grad():
        return float(model.forward.network(input_ids=ids, **extra).logits[0, 1])


@pytest.mark.parametrize("method", [Method.FEATURE_ABLATION, Method.OCCLUSION])
@pytest.mark.parametrize("arch", ["bert", "roberta"])
def test_one_word_at_a_time_is_left_out(tiny, arch, method):
    model = opened(tiny(arch))
    for found in model.attribute(TEXTS[:3], ["positive"] * 3, method=method):
        expected = [found.output - without(model, found.text, number) for number in range(len(found.words))]
        np.testing.assert_allclose(found.scores, expected, atol=2e-5)
        assert found.special == 0


@pytest.mark.parametrize("method", COMPARING)
def test_special_tokens_and_padding_are_never_taken_away(tiny, method):
    model = opened(tiny("bert"))
    found = model.attribute([*TEXTS[:2], "a film"], ["positive"] * 3, method=method)
    assert [each.special for each in found] == [pytest.approx(0, abs=1e-7)] * 3


class Bag(torch.nn.Module):
    """Logits linear in the embeddings of the tokens: what every method says of it is known."""

    def __init__(self, vocabulary: int, width: int = 8) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(vocabulary, width)
        self.head = torch.nn.Linear(width, 2)
        self.config = SimpleNamespace(is_encoder_decoder=False)

    def get_input_embeddings(self):
        return self.table

    def forward(self, input_ids, attention_mask):
        summed = (self.table(input_ids) * attention_mask[..., None].to(self.table.weight)).sum(dim=1)
        return SimpleNamespace(logits=self.head(summed))


@pytest.fixture(scope="module")
def bag(tiny):
    """A model around a Bag; `weights(target)`: (vocabulary,) what each token adds to a logit."""
    model = opened(tiny("bert"))
    torch.manual_seed(0)
    model.forward.network = Bag(model.encoder.tokenizer.vocab_size + 5).requires_grad_(False).eval()
    model.encoder.token_types = False
    return model


@pytest.mark.parametrize("method", COMPARING)
@pytest.mark.parametrize("baseline", [Baseline.MASK, Baseline.PAD, Baseline.ZERO, Baseline.MEAN])
def test_of_a_linear_network_every_method_says_the_same(bag, method, baseline):
    network, tokenizer = bag.forward.network, bag.encoder.tokenizer
    table = network.table.weight.double()
    empty = {
        Baseline.MASK: table[tokenizer.mask_token_id],
        Baseline.PAD: table[tokenizer.pad_token_id],
        Baseline.ZERO: torch.zeros(8, dtype=torch.double),
        Baseline.MEAN: table.mean(dim=0),
    }[baseline]
    rows = bag.encoder.encode_words(TEXTS)
    found = bag.attribute(TEXTS, TARGETS, method=method, baseline=baseline)
    for row, (text, target, each) in enumerate(zip(TEXTS, TARGETS, found, strict=True)):
        weight = network.head.weight[bag.card.labels.index(target)].double()
        tokens = ((table[rows.ids[rows.starts[row] : rows.starts[row + 1]]] - empty) @ weight).numpy()
        words, scores, _, _ = pooled(text, rows.words_of(row), tokens)
        assert each.words == words
        np.testing.assert_allclose(each.scores, scores, atol=2e-5)
        assert each.special == pytest.approx(0, abs=1e-5)
        assert scores.sum() == pytest.approx(each.output - each.baseline_output, abs=1e-3)
        assert each.baseline is baseline


def test_of_a_linear_network_the_gradient_is_its_weights(bag):
    network = bag.forward.network
    rows = bag.encoder.encode_words(TEXTS)
    table = network.table.weight.double()
    steep = bag.attribute(TEXTS, TARGETS, method=Method.SALIENCY)
    product = bag.attribute(TEXTS, TARGETS, method=Method.INPUT_X_GRADIENT)
    for row, (text, target) in enumerate(zip(TEXTS, TARGETS, strict=True)):
        weight = network.head.weight[bag.card.labels.index(target)].double()
        owner = rows.words_of(row)
        _, norms, rest, _ = pooled(text, owner, np.full(len(owner), float(weight.norm())))
        np.testing.assert_allclose(steep[row].scores, norms, rtol=1e-5)
        assert steep[row].special == pytest.approx(rest, rel=1e-5)
        _, scores, special, _ = pooled(
            text, owner, (table[rows.ids[rows.starts[row] : rows.starts[row + 1]]] @ weight).numpy()
        )
        np.testing.assert_allclose(product[row].scores, scores, atol=1e-5)
        assert product[row].special == pytest.approx(special, abs=1e-5)
        assert product[row].baseline is None


@pytest.mark.parametrize("method", Method)
def test_texts_of_one_word_and_of_none(tiny, method):
    model = opened(tiny("bert"))
    one, none, other = model.attribute(["good", "   ", SENTENCES[0]], ["positive"] * 3, method=method)
    assert one.scores.shape == (1,)
    assert one.scores[0] != 0
    assert none.words == ()
    assert none.scores.shape == (0,)
    assert len(other.words) > 1
    assert model.attribute([], [], method=method) == []


@pytest.mark.parametrize("method", [IG, Method.SALIENCY, Method.OCCLUSION])
def test_out_of_memory_takes_fewer_rows_and_goes_on(tiny, method):
    folder = str(tiny("bert", config=SMOOTH))
    expected = opened(folder).attribute(SENTENCES, ["positive"] * 8, method=method)
    model = opened(folder)
    model.explainer.embedding  # noqa: B018
    sizes = []

    def small(_module, _args, named):
        sizes.append(named["input_ids"].numel())
        if sizes[-1] > 100:
            raise torch.cuda.OutOfMemoryError("out of memory")

    hook = model.forward.network.register_forward_pre_hook(small, with_kwargs=True)
    close(model.attribute(SENTENCES, ["positive"] * 8, method=method), expected, atol=1e-5)
    assert max(sizes) > 100
    assert sizes[-1] <= 100
    hook.remove()
    model.forward.network.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(ModelError, match="a single text of"):
        model.attribute([SENTENCES[0]], ["negative"], method=method)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_types_give_nearly_the_same_in_float32(tiny, dtype):
    wide = opened(tiny("bert", config=SMOOTH)).attribute(TEXTS, TARGETS)
    narrow = opened(tiny("bert", config=SMOOTH), dtype=dtype).attribute(TEXTS, TARGETS)
    for one, other in zip(wide, narrow, strict=True):
        assert cosine(one.scores, other.scores) > 0.99


def test_broken_weights_are_never_explained(tiny):
    model = opened(tiny("bert"))
    with torch.no_grad():
        model.forward.network.classifier.weight.fill_(float("nan"))
    for method in Method:
        with pytest.raises(ModelError):
            model.attribute(TEXTS[:1], TARGETS[:1], method=method)


def test_what_cannot_be_asked_is_said_in_one_line(tiny):
    gpt = opened(tiny("gpt2"))
    with pytest.raises(ModelError, match="no mask token") as raised:
        gpt.attribute(["a film"], ["positive"], baseline=Baseline.MASK)
    assert "pad" in raised.value.hint
    with pytest.raises(ModelError, match="nothing to jitter"):
        gpt.attribute(["a film"], ["positive"], method=Method.LIME, jitter=Jitter(radius=0.1, seed=0))
    with pytest.raises(ValueError, match=r"tuple\.index"):
        gpt.attribute(["a film"], ["no label"])
    gpt.card = gpt.card.model_copy(update={"unattributable": {Method.DEEP_LIFT: "it cannot"}})
    with pytest.raises(ModelError, match="it cannot"):
        gpt.attribute(["a film"], ["positive"], method=Method.DEEP_LIFT)


def test_no_warning_and_no_gradient_mode_is_left_behind(tiny):
    model = opened(tiny("bert"))
    assert not any(weight.requires_grad for weight in model.forward.network.parameters())
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in Method:
            model.attribute(TEXTS[:1], TARGETS[:1], method=method)
        assert torch.is_inference_mode_enabled()
    assert not model.forward.network.training
    assert not model.forward.network.get_input_embeddings()._forward_hooks


def test_integration_uses_as_many_points_as_the_integrand_asks_for():
    def gradients(rows, nodes):
        smooth, sharp = 3 * nodes**2, 1 / (1e-3 + (nodes - 0.5) ** 2)
        return np.stack([np.stack([smooth, smooth], axis=1), np.stack([sharp, smooth], axis=1)])[rows]

    exact = 2 / np.sqrt(1e-3) * np.arctan(0.5 / np.sqrt(1e-3))
    scores, points = integrated(gradients, np.array([2, exact + 1]))
    assert points[0] == 21
    assert points[1] > 21
    np.testing.assert_allclose(scores[0], [1, 1], rtol=1e-10)
    assert scores[1][1] == pytest.approx(1, rel=1e-10)
    assert scores[1][0] == pytest.approx(exact, rel=0.01)


KINKS = np.linspace(0.03, 0.97, 200)


def stepping(rows, nodes):
    """(rows, nodes, 5): gradients of which four jump together, each row's at a place of its own, as behind a ReLU.

    They add up to 2 - 2 * kink, and the largest of them is 2.
    """
    jumping = 0.5 + 0.5 * (nodes > KINKS[rows][:, None])
    return np.stack([*[jumping] * 4, np.full_like(jumping, -2)], axis=2)


def test_where_gradients_jump_the_sum_decides_whether_points_are_enough():
    exact = 2 - 2 * KINKS
    blind, few = integrated(stepping, np.full(len(KINKS), np.nan))
    found, more = integrated(stepping, exact)
    off, missed = (np.abs(scores.sum(axis=1) - exact) / 2 for scores in (blind, found))
    assert (few == 21).all()  # two rules agree well enough, although the finer is hardly better
    assert off.max() > 0.03
    assert (missed[more < 87] <= 0.01).all()
    assert (more == 87).any()
    assert missed.mean() < off.mean() / 2
    np.testing.assert_array_equal(found[more == 21], blind[more == 21])


def test_an_integral_that_never_adds_up_takes_every_point():
    _, points = integrated(stepping, 5 - 2 * KINKS)
    assert (points == 87).all()


@pytest.mark.parametrize("method", Method)
def test_an_error_is_told_of_methods_that_have_one(tiny, method):
    for found in opened(tiny("bert", config=SMOOTH)).attribute(TEXTS, TARGETS, method=method):
        assert (found.delta is not None) == (found.relative_delta is not None) == (method in COMPLETE)
        assert (found.baseline_output is not None) == (method in COMPARING)


@pytest.mark.parametrize("budget", [40, 300, 3000])
def test_gradient_shap_is_captums_at_places_drawn_for_each_text(tiny, monkeypatch, budget):
    """Whatever fits into memory at once."""
    from captum.attr import GradientShap

    model = load(str(tiny("bert", config=SMOOTH)), device="cpu", budget=budget)
    texts, targets = TEXTS[:3], TARGETS[:3]
    embedding, network = model.explainer.embedding, model.forward.network
    for found, text, target in zip(
        model.attribute(texts, targets, method=Method.GRADIENT_SHAP), texts, targets, strict=True
    ):
        rows = replace(model.encoder.encode_words([text]), targets=np.array([model.card.labels.index(target)], "i4"))
        asked = Asked.of(Batch(rows), model.forward, limit=10**6)
        drawn = np.random.default_rng(asked.seeds[0]).random(16)
        monkeypatch.setattr(np.random, "uniform", lambda *_, drawn=drawn: drawn)
        vectors = embedding.vectors(asked.ids)
        masked = embedding.vectors(torch.full_like(asked.ids, model.encoder.tokenizer.mask_token_id))
        base = torch.where(asked.words[..., None] == SPECIAL, vectors, masked)
        _, mask, types = asked.inputs
        theirs = GradientShap(
            lambda vectors, mask, types: (
                network(inputs_embeds=vectors, attention_mask=mask, token_type_ids=types).logits
            )
        ).attribute(
            vectors,
            base,
            n_samples=16,
            stdevs=0.0,
            target=int(asked.targets),
            additional_forward_args=(mask, types),
        )
        _, scores, _, _ = pooled(text, rows.words, theirs.detach().sum(dim=-1)[0].double().numpy())
        np.testing.assert_allclose(found.scores, scores, atol=1e-5 * np.abs(scores).max() + 1e-7)
        assert found.points == 16


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_sum_rounded_in_a_narrow_type_asks_for_no_more_points(tiny, dtype):
    wide, narrow = (
        opened(tiny("bert", config=SMOOTH), dtype=each).attribute(TEXTS, TARGETS) for each in ("float32", dtype)
    )
    assert [each.points for each in narrow] == [each.points for each in wide]
