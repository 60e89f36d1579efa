"""Language models as classifiers: what the request makes of the card, once the data are known."""

from __future__ import annotations

import pytest

from audits.config import Config
from audits.planning.labelling import fitting, own_task, with_labels
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.verbaliser import DEFAULT_PAIR_PROMPT, DEFAULT_PROMPT
from tests.conftest import generator_card, model_card

TEXTS = [Example.of("one"), Example.of("two")]
PAIRS = [Example.of(("one", "two"))]


def config(**how):
    return Config(model="m", **{"labels": ("yes", "no"), **how})


def test_the_usual_prompt_is_that_of_the_data():
    card = with_labels(config(), generator_card())
    assert card.problem is ProblemType.SINGLE_LABEL
    assert fitting(config(), card, TEXTS).verbaliser.prompt == DEFAULT_PROMPT
    pairs = fitting(config(), card, PAIRS)
    assert pairs.verbaliser.prompt == DEFAULT_PAIR_PROMPT
    assert pairs.verbaliser.head is ProblemType.CAUSAL_LM
    assert with_labels(config(pairs=True), generator_card()).verbaliser.prompt == DEFAULT_PAIR_PROMPT


def test_a_prompt_of_ones_own_must_fit_the_data():
    own = config(prompt="{premise} -> {hypothesis}")
    card = with_labels(own, generator_card(ProblemType.SEQ2SEQ_LM))
    assert fitting(own, card, PAIRS) == card
    with pytest.raises(UsageError, match="single texts"):
        fitting(own, card, TEXTS)
    with pytest.raises(UsageError, match="pairs of texts"):
        fitting(config(), with_labels(config(), generator_card()), [*TEXTS, *PAIRS])


def test_models_without_labels_are_left_alone():
    plain = config(labels=())
    assert with_labels(plain, generator_card()) == generator_card()
    assert fitting(plain, generator_card(), PAIRS) == generator_card()
    with pytest.raises(UsageError, match="none are named"):
        with_labels(config(labels=(), label_score="mean"), generator_card())


def test_labels_are_for_models_that_write():
    with pytest.raises(UsageError, match="for models that write"):
        with_labels(config(), model_card())


def test_the_task_is_that_of_the_classifier():
    assert own_task(config(task="text-classification")) is None
    assert own_task(config(labels=(), task="fill-mask")) == "fill-mask"
    with pytest.raises(UsageError, match="not for fill-mask"):
        own_task(config(task="fill-mask"))


@pytest.mark.parametrize("labels", [("one",), ("a=x", "b=x"), ("a", "a")])
def test_errors_are_one_line(labels):
    with pytest.raises(UsageError) as caught:
        with_labels(config(labels=labels), generator_card())
    assert "\n" not in str(caught.value)
    assert "Value error" not in str(caught.value)
