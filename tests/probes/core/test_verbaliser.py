"""Prompts are filled, never read; labels are told apart; what the prompt alone suggests is taken out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from probes.core.answers import ProblemType
from probes.core.verbaliser import DEFAULT_PROMPT, Joint, LabelScore, Verbaliser


def verbaliser(*labels, **how):
    return Verbaliser.of(labels or ("positive", "negative"), head=ProblemType.CAUSAL_LM, **how)


def test_labels_and_the_words_for_them():
    made = verbaliser("positive=very good", " negative ")
    assert (made.labels, made.words) == (("positive", "negative"), ("very good", "negative"))
    assert verbaliser().prompt == DEFAULT_PROMPT
    assert verbaliser().filled("Nice.") == "Nice.\n\nWhich of these is it: positive, negative?\nAnswer:"


@pytest.mark.parametrize(
    ("labels", "prompt", "message"),
    [
        (("one",), None, "two labels or more"),
        (("one", "one"), None, "two labels are the same"),
        (("a=x", "b=x"), None, "two words are the same"),
        (("a", ""), None, "a label is empty"),
        (("a", "b="), None, "a label is empty"),
        (("a", "b"), "Is it good?", "no place for the text"),
        (("a", "b"), "{text_pair}?", "no place for the text"),
        (("a", "b"), "{text} {txet}", "a place called {txet}"),
    ],
)
def test_what_makes_no_classifier_is_refused(labels, prompt, message):
    with pytest.raises(ValueError, match=message):
        verbaliser(*labels, prompt=prompt)


HOSTILE = ("{labels}", "{0.__class__}", "{text_pair}{premise}", "%s {", "\\1\\g<0>", "}}{{")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_stands_in_a_text_is_never_a_place(text):
    made = verbaliser(prompt='{"review": {text}} -> {premise} [{labels}]')
    assert made.filled(text) == f'{{"review": {text}}} -> {text} [positive, negative]'
    pair = verbaliser(prompt="{premise} so {hypothesis}:")
    assert pair.filled((text, "x")) == f"{text} so x:"
    assert pair.filled(("x", text)) == f"x so {text}:"


def test_pairs():
    assert verbaliser(pairs=True).filled(("A.", "B.")).startswith("A.\nB.\n")
    assert verbaliser(prompt="{text}").filled(("A.", "B.")) == "A.\nB."
    assert verbaliser(prompt="{text}|{text_pair}").filled("A.") == "A.|"
    assert verbaliser(prompt="{text}|{text_pair}").pairs
    assert not verbaliser().pairs


@pytest.mark.parametrize(
    ("prompt", "blank", "text", "scored"),
    [
        ("Sentiment:", True, "Sentiment: good", " good"),
        ("Sentiment: ", True, "Sentiment: good", " good"),
        ("Sentiment:\n", True, "Sentiment:\ngood", "good"),
        ("", True, "good", "good"),
        ("<assistant>\n", False, "<assistant>\ngood", "good"),
        ("<assistant>", False, "<assistant>good", "good"),
    ],
)
def test_the_blank_before_a_label_belongs_to_it(prompt, blank, text, scored):
    joint = Joint.of(prompt, "good", blank=blank)
    assert joint.text == text
    assert text[slice(*joint.span)] == scored


TOTALS = np.array([[-1.0, -6.0], [-4.0, -2.0]])


def test_scores():
    tokens = np.array([[1, 3], [1, 3]])
    assert verbaliser().logits(TOTALS, tokens).tolist() == TOTALS.tolist()
    mean = verbaliser(score=LabelScore.MEAN).logits(TOTALS, tokens)
    assert mean.tolist() == [[-1.0, -2.0], [-4.0, -2.0 / 3]]


def test_calibration_is_that_of_the_paper():
    """Zhao et al. 2021, section 4: W = diag(p_cf)^-1, of the mean of p over the content-free inputs."""
    neutral = np.array([[-1.0, -2.0], [-0.5, -3.0], [-2.0, -2.0]])
    free = softmax(neutral, axis=1).mean(axis=0)
    weighted = softmax(TOTALS, axis=1) / free
    expected = weighted / weighted.sum(axis=1, keepdims=True)
    made = verbaliser(score=LabelScore.CALIBRATED)
    found = softmax(made.logits(TOTALS, np.ones((2, 2)), neutral=neutral), axis=1)
    assert found == pytest.approx(expected)
    assert len(made.content_free()) == 3
    # A prompt that suggests the first label to everybody no longer decides.
    biased = np.tile([[-0.1, -4.0]], (3, 1))
    assert made.logits(biased[:1], np.ones((1, 2)), neutral=biased)[0] == pytest.approx(
        np.log([1, 1])
        + np.log([np.exp(-0.1) / softmax(biased, axis=1)[0, 0], np.exp(-4.0) / softmax(biased, axis=1)[0, 1]])
    )


def test_told_in_one_line():
    made = verbaliser("good=great", "bad", prompt="{text}\n", score=LabelScore.MEAN)
    assert made.told == "log-probability by token of good = great, bad after '{text}\\n'"
