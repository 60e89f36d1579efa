"""Which words pushed a tagger to the labels of a span, and a reader to an answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from probes.core.attributions import Method, SpanTarget
from probes.core.words import spans, word
from probes.model.pooling import SPECIAL, pooled
from tests.probes.model.conftest import opened
from tests.tiny_models import SENTENCES

pytestmark = pytest.mark.engine

TAGS = ("O", "B-thing", "I-thing")
SMOOTH = {"initializer_range": 0.1}
TEXT = "She  read the (dull) book twice"
TARGET = SpanTarget(name="thing", start=3, end=5, labels=("B-thing", "I-thing"))
QUESTION = "What was lovely?"
CONTEXT = SENTENCES[0]
ANSWER = SpanTarget(name="the music", start=CONTEXT.index("the music"), end=CONTEXT.index("the music") + 9)
ABLATION = Method.FEATURE_ABLATION


@pytest.fixture(scope="module")
def tagger(tiny):
    return lambda arch: opened(tiny(arch, tagger=True, labels=TAGS, config=SMOOTH))


@pytest.fixture(scope="module")
def reader(tiny):
    return lambda arch: opened(tiny(arch, reader=True, config=SMOOTH))


def captums(model, forward, encoded, owner, text):
    """Scores of the words by captum's own LayerIntegratedGradients of 200 steps."""
    from captum.attr import LayerIntegratedGradients

    ids, more = encoded["input_ids"], {k: v for k, v in encoded.items() if k != "input_ids"}
    stand_in = model.encoder.tokenizer.mask_token_id
    base = torch.where(torch.from_numpy(owner)[None] == SPECIAL, ids, stand_in)
    method = LayerIntegratedGradients(
        lambda rows: forward(input_ids=rows, **{k: v.expand(len(rows), -1) for k, v in more.items()}),
        model.forward.network.get_input_embeddings(),
    )
    found = method.attribute(ids, base, n_steps=200).sum(dim=-1)[0].double().numpy()
    return pooled(text, owner, found)[1]


@pytest.mark.parametrize("arch", ["bert", "roberta"])
def test_the_labels_of_an_entity_are_explained_together(tagger, arch):
    """Equal to captum's own, with the sum of their logits as what is explained."""
    model = tagger(arch)
    (found,) = model.attribute_spans([TEXT], [TARGET])
    plain = " ".join(TEXT.split())
    assert found.text == plain
    assert found.words == spans(plain)
    assert found.target == "thing"
    encoded = _encoded(model, plain)
    first = model.encoder.encode_tagged([TEXT]).words_of(0)
    places = [int(np.flatnonzero(first == number)[0]) for number in (3, 4)]

    def forward(**inputs):
        logits = model.forward.network(**inputs).logits
        return logits[:, places[0], 1] + logits[:, places[1], 2]

    with torch.no_grad():
        assert found.output == pytest.approx(float(forward(**encoded)), abs=1e-5)
    assert found.output == pytest.approx(model.tag([TEXT]).logits[[3, 4], [1, 2]].sum(), abs=1e-5)
    owner = model.encoder.encode_words([plain]).words_of(0)
    theirs = captums(model, forward, encoded, owner, plain)
    np.testing.assert_allclose(found.scores, theirs, atol=2e-3 * np.abs(theirs).max())


def _encoded(model, *texts):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model.card.source)(*texts, return_tensors="pt")


@pytest.mark.parametrize("arch", ["bert", "roberta"])
def test_start_and_end_of_an_answer_are_explained_together(reader, arch):
    model = reader(arch)
    (found,) = model.attribute_spans([(QUESTION, CONTEXT)], [ANSWER])
    assert found.words == spans((QUESTION, CONTEXT))
    encoded = _encoded(model, QUESTION, CONTEXT)
    places = [encoded.char_to_token(0, place, 1) for place in (ANSWER.start, ANSWER.end - 1)]

    def forward(**inputs):
        output = model.forward.network(**inputs)
        return output.start_logits[:, places[0]] + output.end_logits[:, places[1]]

    with torch.no_grad():
        assert found.output == pytest.approx(float(forward(**encoded)), abs=1e-5)
    owner = model.encoder.encode_words([(QUESTION, CONTEXT)]).words_of(0)
    theirs = captums(model, forward, encoded, owner, (QUESTION, CONTEXT))
    np.testing.assert_allclose(found.scores, theirs, atol=2e-3 * np.abs(theirs).max())


def test_the_answer_given_is_what_is_explained(reader):
    model = reader("bert")
    pairs = [(QUESTION, text) for text in SENTENCES]
    answers = model.answer(pairs)
    given = [
        SpanTarget(name=text, start=int(start), end=int(end))
        for text, start, end in zip(answers.texts, answers.starts, answers.ends, strict=True)
    ]
    for method in (Method.INTEGRATED_GRADIENTS, ABLATION):
        found = model.attribute_spans(pairs, given, method=method)
        np.testing.assert_allclose([each.output for each in found], answers.scores, atol=1e-4)
    none = model.attribute_spans(pairs, [SpanTarget(name="no answer", start=0, end=0)] * len(pairs))
    np.testing.assert_allclose([each.output for each in none], answers.nulls, atol=1e-4)


def test_weights_add_up(tagger, reader):
    found = [
        *tagger("bert").attribute_spans([TEXT], [TARGET]),
        *tagger("gpt2").attribute_spans([TEXT], [TARGET]),
        *reader("bert").attribute_spans([(QUESTION, CONTEXT)], [ANSWER]),
    ]
    assert all(each.relative_delta < 0.01 for each in found)
    assert all(abs(each.output - each.baseline_output) > 1e-3 for each in found)


def test_one_word_at_a_time_is_left_out(reader):
    model = reader("bert")
    (found,) = model.attribute_spans([(QUESTION, CONTEXT)], [ANSWER], method=ABLATION)
    encoded = _encoded(model, QUESTION, CONTEXT)
    places = [encoded.char_to_token(0, place, 1) for place in (ANSWER.start, ANSWER.end - 1)]
    for span, score in zip(found.words, found.scores, strict=True):
        left = encoded["input_ids"].clone()
        for place in range(span.start, span.end):
            left[0, encoded.char_to_token(0, place, span.part)] = model.encoder.tokenizer.mask_token_id
        with torch.no_grad():
            output = model.forward.network(**{**encoded, "input_ids": left})
        logits = float(output.start_logits[0, places[0]] + output.end_logits[0, places[1]])
        assert score == pytest.approx(found.output - logits, abs=2e-5), word(found.text, span)


def test_of_a_long_context_the_window_around_the_answer_is_read(reader):
    model = reader("bert")
    context = " ".join([*SENTENCES, "The zebra was lovely.", *SENTENCES])
    place = context.index("zebra")
    (found,) = model.attribute_spans([(QUESTION, context)], [SpanTarget(name="zebra", start=place, end=place + 5)])
    read = [word(found.text, span) for span in found.words if span.part == 1]
    assert "zebra" in read[3:-3]
    assert found.unread == len(spans((QUESTION, context))) - len(found.words) > 0


def test_what_is_not_read_cannot_be_explained(tagger, reader):
    long = " ".join(SENTENCES)
    with pytest.raises(ValueError, match="not read"):
        tagger("bert").attribute_spans([long], [SpanTarget(name="x", start=80, end=81, labels=("O",))])
    with pytest.raises(ValueError, match="no window"):
        reader("bert").attribute_spans([(QUESTION, "a b")], [SpanTarget(name="x", start=7, end=9)])


def test_company_changes_nothing(tagger):
    model = tagger("roberta")
    other = SpanTarget(name="film", start=1, end=2, labels=("B-thing",))
    alone = [model.attribute_spans([text], [target])[0] for text, target in ((TEXT, TARGET), (SENTENCES[0], other))]
    for one, each in zip(alone, model.attribute_spans([TEXT, SENTENCES[0]], [TARGET, other]), strict=True):
        np.testing.assert_allclose(one.scores, each.scores, atol=1e-5)
