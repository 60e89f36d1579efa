"""A language model as a classifier answers as a plain loop over its labels does, and shows the defects it has."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from probes.core.answers import ProblemType
from probes.core.errors import ModelError
from probes.core.likelihoods import passage
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.core.verbaliser import LabelScore, Verbaliser
from probes.model.cache import AnswerCache
from probes.model.load import load
from probes.model.verbalised import Verbalised, as_classifier, as_language_model
from probes.performance.quality import Quality
from probes.robustness.perturbed import PROBES
from tests.conftest import BAD, GOOD, FakeScorer, generator_card
from tests.tiny_models import SENTENCES, build

PROMPT = "Review: {text}\nIt is"
LABELS = ("positive=good", "negative=really quite bad", "neutral=so so")
TEXTS = [*SENTENCES, "A film."]


def classifier(model, *labels, head=ProblemType.CAUSAL_LM, **how):
    made = Verbaliser.of(labels or LABELS, head=head, **{"prompt": PROMPT, **how})
    return Verbalised(model=model, card=as_classifier(model.card, made))


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def model(request, tmp_path_factory):
    return load(str(build(request.param, tmp_path_factory.mktemp("lm") / request.param, language=True)), device="cpu")


def by_hand(model, prompt, words, *, opening=True):
    """The log-probability of words after a prompt, one forward of transformers at a time."""
    tokenizer, network = AutoTokenizer.from_pretrained(model.card.source), model.forward.network
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    given, end = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in (prompt, words))
    ids = torch.tensor([[*([begin] if opening else []), *given, *end]])
    with torch.inference_mode():
        logs = network(ids).logits[0].log_softmax(dim=-1)
    places = range(ids.shape[1] - len(end) - 1, ids.shape[1] - 1)
    return sum(float(logs[place, ids[0, place + 1]]) for place in places)


@pytest.mark.engine
def test_equals_a_plain_loop(model):
    made = classifier(model)
    assert model.shares
    found = made.classify(TEXTS).logits
    words = [f" {each}" for each in made.verbaliser.words]
    expected = [[by_hand(model, made.verbaliser.filled(text), each) for each in words] for text in TEXTS]
    assert np.abs(found - np.array(expected)).max() < 1e-4


@pytest.mark.engine
def test_prompts_read_once_equal_prompts_read_for_each_label(model):
    plain = classifier(replace(model, shares=False))
    fresh = classifier(model)
    assert np.abs(plain.classify(TEXTS).logits - fresh.classify(TEXTS).logits).max() < 1e-4
    asked = ["A much longer text that the model cannot read to its end. " * 8, TEXTS[0]]
    assert np.abs(plain.classify(asked).logits - fresh.classify(asked).logits).max() < 1e-4


def test_each_prompt_is_computed_once_for_all_labels(model):
    made = classifier(model)
    made.model.cache = AnswerCache.open(None)
    made.take_counters()
    first = made.classify([*TEXTS, *TEXTS])
    counters = made.take_counters()
    whole = sum(len(model.encoder.encode_whole([made.verbaliser.filled(text)])[0][0]) for text in TEXTS)
    assert (counters.asked, counters.computed) == (3 * len(TEXTS), 3 * len(TEXTS))
    assert counters.tokens < 1.5 * whole  # and not 3 times
    assert made.classify(TEXTS).logits.tolist() == first.logits[: len(TEXTS)].tolist()
    assert made.take_counters().computed == 0


def test_prompt_and_words_are_part_of_the_key(model):
    made = classifier(model)
    made.classify(TEXTS[:3])
    made.take_counters()
    others = {9: classifier(model, prompt="{text} So"), 3: classifier(model, "positive=fine", *LABELS[1:])}
    for computed, other in others.items():
        other.classify(TEXTS[:3])
        assert other.take_counters().computed == computed


def test_what_shares_a_batch_decides_nothing(model):
    together = classifier(model).classify(TEXTS).logits
    model.cache = AnswerCache.open(None)
    alone = np.concatenate([classifier(model).classify([text]).logits for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-4


def test_the_reply_of_a_chat_model_begins_with_the_label(tmp_path):
    folder = build("llama", tmp_path / "chat", language=True)
    path = folder / "tokenizer_config.json"
    template = "{% for m in messages %}User: {{ m['content'] + '\n' }}{% endfor %}{{ 'Reply:\n' }}"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": template}))
    model = load(str(folder), device="cpu")
    assert model.card.chat
    made = classifier(model)
    found = made.classify(TEXTS[:3]).logits
    told = [f"User: {made.verbaliser.filled(text)}\nReply:\n" for text in TEXTS[:3]]
    expected = [[by_hand(model, prompt, words, opening=False) for words in made.verbaliser.words] for prompt in told]
    assert np.abs(found - np.array(expected)).max() < 1e-4


def test_the_card_is_that_of_a_classifier(model):
    card = classifier(model).card
    assert (card.problem, card.labels) == (ProblemType.SINGLE_LABEL, ("positive", "negative", "neutral"))
    assert card.capabilities >= {Capability.CLASSIFY, Capability.EMBED}
    assert not card.capabilities & {Capability.SCORE, Capability.GENERATE, Capability.ATTRIBUTE}
    assert card.identity != model.card.identity
    assert card.identity[0] == model.card.fingerprint
    back = as_language_model(card)
    assert (back.problem, back.task, back.labels) == (model.card.problem, model.card.task, ())


def opinion(word, _how):
    return -1.0


def fake(rule, head=ProblemType.CAUSAL_LM, **how):
    """A scorer for which a label is likely when the text before it holds words of its kind."""
    scorer = Opinionated(rule=opinion, card=generator_card(head))
    scorer.found = rule
    return classifier(scorer, "positive", "negative", head=head, **how)


class Opinionated(FakeScorer):
    """Scores the last word of a text by what stands before it."""

    def score(self, texts, *, rule=None, counted=None):
        likelihoods = super().score(texts, rule=rule, counted=counted)
        for row, text in enumerate(texts):
            prompt, label = passage(text)[0].rsplit(maxsplit=1)
            likelihoods.logs[likelihoods.tokens_of(row)] = self.found(prompt, label)
        return likelihoods


def kind(prompt, label, *, strip=True):
    words = re.findall(r"\w+", prompt.lower() if strip else prompt)
    return -1.0 - 2.0 * sum(word in (BAD if label == "positive" else GOOD) for word in words)


def numbers(model, probe, data):
    records = probe.run(model, data, Context(probe=probe.info.id))
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


UPPER = next(probe for probe in PROBES if probe.info.id == "robustness.upper_case")


@pytest.mark.parametrize("head", [ProblemType.CAUSAL_LM, ProblemType.SEQ2SEQ_LM])
def test_probes_of_classifiers_find_a_planted_defect(head, sentiment_examples):
    """The defect: it reads no capitals. Its twin reads them."""
    clean = fake(kind, head)
    broken = fake(lambda prompt, label: kind(prompt, label, strip=False), head)
    assert numbers(clean, Quality(resamples=50), sentiment_examples)["accuracy"].value == 1.0
    assert numbers(broken, Quality(resamples=50), sentiment_examples)["accuracy"].value == 1.0
    lost = "accuracy_drop[severity=5]"
    assert numbers(broken, UPPER, sentiment_examples)[lost].low > 0.2
    assert numbers(clean, UPPER, sentiment_examples)[lost].value == 0.0


def test_an_encoder_decoder_is_asked_about_pairs():
    made = fake(kind, ProblemType.SEQ2SEQ_LM)
    made.classify(["a good film"])
    assert made.model.asked == [("Review: a good film\nIt is", label) for label in ("positive", "negative")]


@pytest.mark.engine
def test_an_encoder_decoder_equals_a_plain_loop(tmp_path):
    model = load(str(build("t5", tmp_path / "t5", language=True)), device="cpu")
    made = classifier(model, head=model.card.problem)
    tokenizer = AutoTokenizer.from_pretrained(model.card.source)

    def score(text, words):
        source = tokenizer(made.verbaliser.filled(text), return_tensors="pt")
        target = tokenizer(words, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            logs = model.forward.network(**source, labels=target).logits[0].log_softmax(dim=-1)
        return float(logs.gather(1, target[0][:, None]).sum())

    expected = [[score(text, words) for words in made.verbaliser.words] for text in TEXTS[:3]]
    assert np.abs(made.classify(TEXTS[:3]).logits - np.array(expected)).max() < 1e-4
    assert as_language_model(made.card).task == "text2text-generation"


def test_a_label_that_the_prompt_suggests_wins_unless_calibrated():
    def leaning(prompt, label):
        return kind(prompt, label) + (5.0 if label == "positive" else 0.0)

    texts = ["an awful film", "a lovely film"]
    assert fake(leaning).classify(texts).names() == ["positive", "positive"]
    assert fake(leaning, score=LabelScore.CALIBRATED).classify(texts).names() == ["negative", "positive"]


def test_a_label_without_a_token_is_told():
    made = fake(kind)
    made.model.longest = 0
    with pytest.raises(ModelError, match="no token that the model scores"):
        made.classify(["a good film"])


def test_no_text_is_no_answer():
    assert len(fake(kind).classify([])) == 0
