"""Readers: the answer is that of a plain loop over every span, with transformers alone, in every window."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.errors import DataError, ModelError
from probes.core.model import Capability
from probes.model.card import WINDOW, describe
from probes.model.load import load
from probes.model.spans import LONGEST
from probes.model.tokens import Encoder
from tests.probes.model.conftest import different_texts, opened
from tests.tiny_models import ARCHITECTURES, MAX_LENGTH, SENTENCES, build

pytestmark = pytest.mark.engine

PAIRS = [
    ("what was good?", SENTENCES[0]),
    ("Who read the book?", " ".join(SENTENCES)),
    ("how many letters did she get?", " ".join([*SENTENCES, *SENTENCES[::-1]])),
    ("naïve 東京?", "naïve  Σίσυφος 東京 e\u0301 👍🏽 [SEP] <mask>\ta tab\nand a line"),
    ("a?", "b"),
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    built = {}

    def make(arch="bert", **settings):
        key = repr((arch, sorted(settings.items())))
        if key not in built:
            built[key] = build(arch, tmp_path_factory.mktemp("readers") / arch, reader=True, **settings)
        return built[key]

    return make


@cache
def loaded(folder):
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer, AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32).eval()


def by_transformers(folder, question, context, *, max_length=MAX_LENGTH):
    """The best 20 spans of every window with their scores, best first, and the lowest score of "no answer": plain
    loops, no mask, no batch, and the overlap that the reference asks for, or half of the room where a window is small.
    Several pairs of tokens may be one span: letters of several bytes have several tokens in some vocabularies."""
    import torch

    tokenizer, network = loaded(folder)
    taken = len(tokenizer(question, add_special_tokens=False)["input_ids"])
    room = max_length - taken - tokenizer.num_special_tokens_to_add(pair=True)
    cut = tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=max_length,
        stride=min(128, room // 2),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    spans, nulls = {}, []
    for window in range(len(cut["input_ids"])):
        ids = cut["input_ids"][window]
        inputs = {"input_ids": torch.tensor([ids])}
        if "token_type_ids" in cut and network.config.model_type in ("bert", "electra", "albert"):
            inputs["token_type_ids"] = torch.tensor([cut["token_type_ids"][window]])
        with torch.inference_mode():
            out = network(**inputs)
        start, end = out.start_logits[0].tolist(), out.end_logits[0].tolist()
        marks = (tokenizer.cls_token_id, tokenizer.bos_token_id)
        first = next((ids.index(mark) for mark in marks if mark is not None and mark in ids), 0)
        nulls.append(start[first] + end[first])
        parts, offsets = cut.sequence_ids(window), cut["offset_mapping"][window]
        here = []
        for i in range(len(ids)):
            for j in range(i, min(i + LONGEST, len(ids))):
                if parts[i] != 1 or parts[j] != 1 or i == first:
                    continue
                (a, c), (d, b) = offsets[i], offsets[j]
                text = context[a:b]
                if c == a or b == d:
                    continue
                place = (a + len(text) - len(text.lstrip()), b - len(text) + len(text.rstrip()))
                here.append((start[i] + end[j], place if text.strip() else None))
        for score, place in sorted(here, key=lambda each: -each[0])[:20]:
            if place is not None:
                spans[place] = max(spans.get(place, -np.inf), score)
    ranked = sorted(spans.items(), key=lambda each: -each[1])
    return ranked, min(nulls), len(cut["input_ids"])


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_answer_is_that_of_a_plain_loop_with_transformers(arch, reader):
    folder = reader(arch)
    answers = load(str(folder)).answer(PAIRS)
    windows = 0
    for row, (question, context) in enumerate(PAIRS):
        ranked, null, count = by_transformers(folder, question, context)
        windows += count
        if not ranked:
            assert answers.texts[row] == ""
            continue
        start, end = int(answers.starts[row]), int(answers.ends[row])
        assert answers.texts[row] == context[start:end]
        assert answers.scores[row] == pytest.approx(ranked[0][1], abs=1e-4)
        assert dict(ranked)[(start, end)] == pytest.approx(ranked[0][1], abs=1e-4)
        assert answers.seconds[row] == pytest.approx(ranked[1][1] if len(ranked) > 1 else -np.inf, abs=1e-4)
        best = np.logaddexp.reduce([score for _, score in ranked[:20]])
        assert answers.totals[row] == pytest.approx(best, abs=1e-4)
        assert answers.nulls[row] == pytest.approx(null, abs=1e-4)
    assert windows > len(PAIRS) + 4  # the long contexts are read in several


# The pipeline of transformers 4 hands a tokenizer's masks to NumPy 2 in a way that both call outdated.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_answer_is_that_of_the_pipeline_where_there_is_one(reader):
    pipelines = pytest.importorskip("transformers.pipelines")
    if "question-answering" not in pipelines.SUPPORTED_TASKS:
        pytest.skip("transformers 5 has no question-answering pipeline")
    folder = reader("bert")
    tokenizer, network = loaded(folder)
    ask = pipelines.pipeline("question-answering", model=network, tokenizer=tokenizer)
    found = load(str(folder)).answer([("what was good?", sentence) for sentence in SENTENCES])
    for row, sentence in enumerate(SENTENCES):
        theirs = ask(question="what was good?", context=sentence, max_answer_len=LONGEST, align_to_words=False)
        assert (theirs["start"], theirs["end"]) == (found.starts[row], found.ends[row])


def test_every_token_of_a_long_context_is_in_a_window_and_only_those_can_be_an_answer(reader):
    encoder = Encoder(loaded(reader("roberta"))[0], max_length=MAX_LENGTH, token_types=False)
    context = PAIRS[2][1]
    read = encoder.encode_questions([PAIRS[0], PAIRS[2]])
    seen = np.zeros(len(context), dtype=bool)
    for window in range(*read.starts[1:3]):
        marks = read.sequences.words_of(window)
        assert len(marks) <= MAX_LENGTH
        for start, end in read.offsets[window][marks == 0].tolist():
            seen[start:end] = True
    assert all(seen[place] for place, sign in enumerate(context) if not sign.isspace())


def test_order_repeats_batches_and_the_cache_change_nothing(reader, tmp_path):
    from probes.model.cache import AnswerCache

    folder = str(reader("bert"))
    pairs = [(f"{text[:20]}?", text) for text in different_texts(40)] + PAIRS
    cache = AnswerCache.open(tmp_path / "cache.sqlite")
    model = load(folder, cache=cache)
    first = model.answer(pairs)
    assert model.take_counters().computed > len(pairs)
    again = model.answer([*pairs[::-1], pairs[0]])
    assert again.texts == [*first.texts[::-1], first.texts[0]]
    assert again.scores.tolist() == [*first.scores[::-1].tolist(), first.scores[0]]
    counters = model.take_counters()
    assert counters.computed == 0
    assert counters.asked >= counters.distinct == counters.cached
    one_by_one = [load(folder, budget=1).answer([pair]).scores[0] for pair in pairs[-8:]]
    assert first.scores[-8:] == pytest.approx(one_by_one, abs=1e-4)


def test_nothing_asked_gives_nothing(reader):
    assert len(opened(reader("bert")).answer([])) == 0


def test_a_long_question_leaves_room_for_the_context(reader):
    question = " ".join(SENTENCES)
    found = opened(reader("bert")).answer([(question, SENTENCES[1]), (question, " ".join(SENTENCES))])
    assert all(found.texts)


@pytest.mark.parametrize("length", [8, 9, 12])
def test_the_smallest_windows_still_read_everything(length, reader):
    model = opened(reader("roberta"), max_length=length)
    found = model.answer(PAIRS)
    assert all(
        text == context[a:b]
        for text, a, b, (_, context) in zip(found.texts, found.starts, found.ends, PAIRS, strict=True)
    )


def test_a_single_text_is_refused(reader):
    with pytest.raises(DataError, match="single text"):
        opened(reader("bert")).answer(["alone"])


def test_half_a_surrogate_is_refused(reader):
    with pytest.raises(DataError, match="surrogate"):
        opened(reader("bert")).answer([("what?", "a \ud800 b")])


def test_broken_weights_are_refused(reader, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "broken"
    shutil.copytree(reader("bert"), folder)
    weights = load_file(folder / "model.safetensors")
    weights["qa_outputs.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="NaN"):
        load(str(folder)).answer(PAIRS)


def test_the_card_says_what_it_can_be_asked(reader):
    card = describe(str(reader("bert")))
    assert card.task == "question-answering"
    assert card.problem is ProblemType.SPAN
    assert card.question is Capability.ANSWER
    assert card.labels == ()
    assert card.max_length == MAX_LENGTH
    assert Capability.ATTRIBUTE in card.capabilities
    assert Capability.CLASSIFY not in card.capabilities


def test_a_window_is_no_longer_than_those_of_the_usual_training_unless_asked(tmp_path):
    folder = build("bert", tmp_path / "long", reader=True, config={"max_position_embeddings": 512})
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 512}))
    assert describe(str(folder)).max_length == WINDOW
    assert describe(str(folder), max_length=512).max_length == 512
    context = " ".join(SENTENCES * 12)
    found = load(str(folder)).answer([("what was good?", context)])
    ranked, null, windows = by_transformers(folder, "what was good?", context, max_length=WINDOW)
    assert windows > 2
    assert found.scores[0] == pytest.approx(ranked[0][1], abs=1e-4)
    assert found.nulls[0] == pytest.approx(null, abs=1e-4)


def test_a_checkpoint_without_its_head_is_refused(reader, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "headless"
    shutil.copytree(reader("bert"), folder)
    weights = {
        name: value for name, value in load_file(folder / "model.safetensors").items() if "qa_outputs" not in name
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="lacks 2 of the weights"):
        load(str(folder))
