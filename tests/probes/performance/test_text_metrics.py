"""Counts that add up to what the libraries say of a whole corpus."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from probes.performance.text_metrics import (
    bleu,
    bleu_counts,
    chrf,
    chrf_counts,
    closest_lengths,
    corpus_bleu,
    corpus_chrf,
    repetitive,
    rouge_f,
)

WORDS = ("the", "cat", "sat", "on", "a", "mat", "dog", "ran,", "Fast.", "it's")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
CORPORA = st.lists(st.tuples(TEXTS, st.lists(TEXTS.filter(bool), min_size=1, max_size=3)), min_size=1, max_size=6)


def streams(golds):
    return [[refs[k] if k < len(refs) else None for refs in golds] for k in range(max(map(len, golds)))]


@hypothesis_settings(max_examples=60)
@given(CORPORA)
def test_corpus_scores_are_those_of_sacrebleu(corpus):
    texts, golds = [text for text, _ in corpus], [refs for _, refs in corpus]
    ours = corpus_bleu(texts, golds)
    assert 100 * ours == pytest.approx(BLEU(force=True).corpus_score(texts, streams(golds)).score, abs=1e-9)
    ours = corpus_chrf(texts, golds)
    assert 100 * ours == pytest.approx(CHRF().corpus_score(texts, streams(golds)).score, abs=1e-9)


def test_weights_are_repetitions_of_texts():
    texts = ["the cat sat on the mat", "a dog ran, Fast.", "it's on the mat"]
    golds = [["the cat sat on a mat"], ["the dog ran fast.", "a dog ran."], ["it's a mat"]]
    weights = np.array([[2.0, 0.0, 1.0]])
    drawn = [texts[0], texts[0], texts[2]], [golds[0], golds[0], golds[2]]
    for score, count, library in ((bleu, bleu_counts, BLEU(force=True)), (chrf, chrf_counts, CHRF())):
        expected = library.corpus_score(drawn[0], streams(drawn[1])).score
        assert 100 * score(weights @ count(texts, golds))[0] == pytest.approx(expected)


def test_example_of_the_first_paper_on_bleu():
    """Papineni et al. 2002, candidate 1 and its three references: the modified unigram precision is 17/18."""
    text = "It is a guide to action which ensures that the military always obeys the commands of the party"
    golds = [
        "It is a guide to action that ensures that the military will forever heed Party commands",
        "It is the guiding principle which guarantees the military forces always being under the command of the Party",
        "It is the practical guide for the army always to heed the directions of the party",
    ]
    counts = bleu_counts([text], [golds])[0]
    assert (counts[2], counts[6]) == (17, 18)
    assert counts[3] == 10  # its modified bigram precision is 10/17


def test_rouge_takes_the_best_reference_for_each_kind():
    text, golds = "police killed the gunman", ["police kill the gunman", "the gunman police killed"]
    each = [RougeScorer(["rouge1", "rouge2", "rougeL"]).score(gold, text) for gold in golds]
    expected = [max(found[name].fmeasure for found in each) for name in ("rouge1", "rouge2", "rougeL")]
    assert rouge_f([text], [golds])[0].tolist() == expected
    # Lin 2004, section 3.1: S2 "police kill the gunman" has the sentence-level ROUGE-L 3/4 against S1.
    assert rouge_f([golds[0]], [[text]])[0, 2] == pytest.approx(0.75)


def test_nothing_in_common_is_zero_and_no_text_is_no_row():
    assert bleu(bleu_counts(["x y z w"], [["a b c d"]]))[0] == 0.0
    assert chrf(chrf_counts(["xyz"], [["abc"]]))[0] == 0.0
    assert bleu_counts([], []).shape == (0, 10)
    assert chrf_counts([], []).shape == (0, 18)
    assert rouge_f([], []).shape == (0, 3)


@pytest.mark.parametrize(
    ("text", "found"),
    [("", False), ("a b c", False), ("one two three four " * 2, False), ("One two three four " * 3, True)],
)
def test_repetition(text, found):
    assert repetitive([text]).tolist() == [found]


def test_lengths_are_those_of_the_closest_reference():
    own, wanted = closest_lengths(["a b c", ""], [["a", "a b c d", "a b"], ["x"]])
    assert own.tolist() == [3, 0]
    assert wanted.tolist() == [2, 1]  # of two equally close ones the shorter, as in BLEU
