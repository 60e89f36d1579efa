"""The probes about explanations, end to end, on real networks of every kind of head and body."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import (
    Accounting,
    Curve,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Skip,
    WordList,
    from_line,
    to_line,
)
from probes.explanation.examples.probe import Examples
from probes.explanation.faithfulness.probe import Faithfulness
from probes.explanation.reliance.probe import Reliance
from probes.explanation.shortcuts.probe import Shortcuts
from probes.explanation.top_words.probe import TopWords
from tests.tiny_models import MAX_LENGTH, build, save_tokenizer

pytestmark = [
    pytest.mark.engine,
    pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"),
]

PROBES = {
    "examples": Examples(each=1),
    "faithfulness": Faithfulness(few=12, draws=1, noises=1, edits=("lower_case",), resamples=200),
    "reliance": Reliance(words=("music",)),
    "shortcuts": Shortcuts(minimum=3, most=2, controls=1, trials=10, resamples=200),
    "top_words": TopWords(minimum=3, top=3, resamples=200),
}
ALWAYS = {
    "examples": {"complete_share", "top_share"},
    "faithfulness": {"comprehensiveness", "sufficiency", "infidelity", "converged", "max_sensitivity"},
    "reliance": {"attribution_share", "flip_rate"},
    "shortcuts": set(),
    "top_words": set(),
}
"""What is measured of every head. Which words are searched, and for which answers, is up to chance."""
THINGS = ("film", "story", "music", "meal", "phone", "hotel", "book", "lesson", "train", "tea")
JUDGED = ("good", "awful", "fine")
TEXTS = [f"The {thing} was {judged}, and my {thing} didn't answer." for thing in THINGS for judged in JUDGED]
PAIRS = [(f"The {thing} was {judged}.", f"Was my {thing} great?") for thing in THINGS for judged in JUDGED]


def encoder_decoder(folder):
    """A BART that has learned nothing."""
    import torch
    from transformers import BartConfig, BartForSequenceClassification

    tokenizer = save_tokenizer("roberta", folder)
    ids = {f"{role}_token_id": tokenizer.token_to_id(name) for role, name in SPECIALS.items()}
    config = BartConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=24,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=MAX_LENGTH,
        init_std=0.3,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
        forced_eos_token_id=None,
        decoder_start_token_id=tokenizer.token_to_id("</s>"),
        **ids,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BartForSequenceClassification(config).eval().save_pretrained(folder)
    return folder


SPECIALS = {"bos": "<s>", "pad": "<pad>", "eos": "</s>"}


@dataclass(frozen=True)
class Head:
    """A network, and data whose right answers it could give."""

    make: object
    data: Sequence[Example]


def _built(arch, **settings):
    return lambda folder: build(arch, folder, **settings)


HEADS = {
    "pairs": Head(
        _built("bert", labels=("no", "unclear", "yes")),
        [Example.of(text, gold="yes" if "good" in text[0] else "no") for text in PAIRS],
    ),
    "multi_label": Head(
        _built("distilbert", labels=("praise", "anger", "travel"), problem_type="multi_label_classification"),
        [
            Example.of(
                text, gold=tuple(label for label, sign in [("praise", "good"), ("travel", "hotel")] if sign in text)
            )
            for text in TEXTS
        ],
    ),
    "regression": Head(
        _built("deberta-v2", labels=("score",), problem_type="regression"),
        [Example.of(text, gold=1.0 if "good" in text else 0.0) for text in TEXTS],
    ),
    "decoder": Head(
        _built("gpt2"), [Example.of(text, gold="positive" if "good" in text else "negative") for text in TEXTS]
    ),
    "encoder_decoder": Head(
        encoder_decoder, [Example.of(text, gold="positive" if "good" in text else "negative") for text in TEXTS]
    ),
}


@pytest.fixture(scope="module", params=HEADS)
def asked(request, tmp_path_factory):
    """A model, and its data."""
    from probes.model.load import load

    head = HEADS[request.param]
    return load(str(head.make(tmp_path_factory.mktemp(request.param))), device="cpu"), head.data


@dataclass(frozen=True)
class Run:
    """What a probe yielded."""

    records: Sequence[Record | Outcomes]

    def of(self, kind):
        return [record for record in self.records if isinstance(record, kind)]


@pytest.fixture(scope="module", params=PROBES)
def made(request, asked):
    model, data = asked
    probe = PROBES[request.param]
    if model.card.problem not in probe.info.problems:
        assert (request.param, model.card.problem) == ("shortcuts", ProblemType.REGRESSION)
        assert "not tested" in probe.info.doc.limits
        pytest.skip("the plan of an audit leaves it out, and its documentation says why")
    assert probe.info.needs <= model.card.capabilities
    return Run(list(probe.run(model, data, Context(probe=probe.info.id)))), ALWAYS[request.param], len(data)


def test_a_real_network_is_measured_or_the_reason_is_said(made):
    """One run of each probe on each head: what is checked of it is checked together, because runs are dear."""
    run, always, total = made
    assert run.of(Measurement) or run.of(Skip)
    assert always <= {each.name for each in run.of(Measurement)}
    for each in run.of(Measurement):
        numbers = [each.estimate.value, each.estimate.low, each.estimate.high]
        assert all(map(math.isfinite, numbers)), each.key
        assert 0 < each.estimate.clusters <= each.estimate.n, each.key
    for each in run.of(Curve):
        assert each.points
        assert all(math.isfinite(point.y.value) and point.y.n > 0 for point in each.points)
    for each in run.of(Skip):
        assert len(each.detail.split()) > 4, each
    keys = [each.key for each in run.of(Measurement)]
    assert len(keys) == len(set(keys))
    check_accounts(run, total)
    check_cases(run)
    lines = [record for record in run.records if not isinstance(record, Outcomes)]
    assert [from_line(to_line(record)) for record in lines] == lines
    assert all(isinstance(record, Measurement | Curve | Evidence | Accounting | Skip | WordList) for record in lines)


def check_accounts(run, total):
    first, *parts = run.of(Accounting)
    assert first.eligible == total
    assert first.unscored == 0
    for each in [first, *parts]:
        steps = [step for step in (each.eligible, each.perturbed, each.kept, each.scored) if step is not None]
        assert steps == sorted(steps, reverse=True)
        assert each.errors == 0
        asked_about = next(step for step in (each.kept, each.perturbed, each.eligible) if step is not None)
        if each.unscored:
            assert each.scored + each.unscored <= asked_about
    for outcomes in run.of(Outcomes):
        assert {len(values) for _, values in outcomes.columns()} == {len(outcomes)}


def check_cases(run):
    for each in run.of(Evidence):
        for shown in each.shown:
            spans = [(word.part, word.start, word.end) for word in shown.words]
            assert spans == sorted(set(spans))
            assert all(0 <= start < end <= len(shown.texts[part]) for part, start, end in spans)
            assert all(math.isfinite(word.weight) for word in shown.words)
        assert any(word.weight for word in each.shown[0].words)
