from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core import stats
from probes.core.entities import Tagset
from probes.core.entity_decisions import Decisions
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.performance.tagging import Tagging
from tests.conftest import TAGS, FakeTagger

CONTEXT = Context(probe="performance.tagging")


def run(data, answers):
    """`answers`: text -> a tag for each word."""
    model = FakeTagger(rule=lambda words: answers[" ".join(words)])
    return list(Tagging().run(model, data, CONTEXT))


def values(records):
    return {record.key: record.estimate.value for record in records if isinstance(record, Measurement)}


def naive(golds, answers):
    """Precision, recall and F1 as the README of seqeval (Nakayama 2018) defines them, counted with plain sets.

    An entity is right when the same words have the same kind.
    """
    tagset = Tagset.of(TAGS)

    def bag(rows):
        return {(row, *entity) for row, tags in enumerate(rows) for entity in tagset.entities(tags)}

    gold, answered = bag(golds), bag(answers)
    hits = len(gold & answered)
    return (
        hits / len(answered) if answered else None,
        hits / len(gold) if gold else None,
        2 * hits / (len(gold) + len(answered)) if gold or answered else None,
    )


sentences = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=8), min_size=1, max_size=8
)


@given(sentences)
def test_numbers_are_those_of_a_naive_count(pairs):
    data, answers, golds, tags = [], {}, [], []
    for row, sentence in enumerate(pairs):
        text = " ".join(f"w{row}.{k}" for k in range(len(sentence)))
        golds.append(tuple(gold for gold, _ in sentence))
        tags.append([answer for _, answer in sentence])
        answers[text] = tags[-1]
        data.append(Example.of(text, gold=golds[-1]))
    found = values(run(data, answers))
    precision, recall, f1 = naive(golds, tags)
    assert found.get("precision") == pytest.approx(precision)
    assert found.get("recall") == pytest.approx(recall)
    assert found.get("f1") == pytest.approx(f1)
    words = [(gold, tag) for sentence in pairs for gold, tag in sentence]
    assert found["word_accuracy"] == pytest.approx(np.mean([gold == tag for gold, tag in words]))


def test_published_example():
    """The example of seqeval's README: one of two entities has a wrong boundary."""
    golds = [("O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"), ("B-PER", "I-PER", "O")]
    tags = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    tagset = Tagset.of(("O", "B-MISC", "I-MISC", "B-PER", "I-PER"))
    decisions = Decisions.of(
        [tagset.entities(gold) for gold in golds], [tagset.entities(tag) for tag in tags], clusters=["a", "b"]
    )
    assert decisions.f1().value == decisions.precision().value == decisions.recall().value == 0.5
    assert decisions.of_kind("PER").f1().value == 1.0
    assert decisions.macro_f1(np.ones((1, 2)))[0] == 0.5


TEXT = "Ada Stone met Alan in New York and Rome"
GOLD = ("B-person", "I-person", "O", "B-person", "O", "B-place", "I-place", "O", "B-place")


def one(answer, **how):
    return values(run([Example.of(TEXT, gold=GOLD, **how)], {TEXT: answer}))


def test_each_kind_of_error_is_told_apart():
    answer = ["B-person", "O", "O", "B-place", "O", "O", "B-person", "B-place", "O"]
    found = one(answer)
    assert found["wrong_boundary"] == 0.25  # Ada
    assert found["wrong_kind"] == 0.25  # Alan
    assert found["wrong_kind_and_boundary"] == 0.25  # York
    assert found["missed"] == 0.25  # Rome
    assert found["spurious"] == 0.25  # and
    assert found["recall"] == 0.0


def test_kinds_have_their_own_numbers():
    found = one(["B-person", "I-person", "O", "O", "O", "B-place", "I-place", "O", "B-place"])
    assert found["recall[kind=person]"] == 0.5
    assert found["recall[kind=place]"] == 1.0
    assert found["precision[kind=person]"] == 1.0


def test_strict_reading_counts_less():
    found = one(["I-person", "I-person", "O", "B-person", "O", "B-place", "I-place", "O", "B-place"])
    assert found["f1"] == 1.0
    assert found["strict_f1"] == pytest.approx(6 / 7)


def test_words_that_were_not_read_are_left_out_and_counted():
    cut = [*GOLD[:6], None, None, None]
    records = run([Example.of(TEXT, gold=GOLD)], {TEXT: cut})
    found = values(records)
    assert found["f1"] == 1.0  # "New" is what was read of New York
    assert found["word_accuracy"] == 1.0
    assert found["unread_words"] == pytest.approx(3 / 9)
    note = next(record for record in records if isinstance(record, Accounting)).note
    assert note == "3 words of 1 text not read (cut off) and not scored"


def many(n=60, *, wrong=0.3, seed=0):
    draw = random.Random(seed)
    data, answers = [], {}
    for k in range(n):
        text = f"{TEXT} {k}"
        data.append(Example.of(text, gold=(*GOLD, "O"), groups={"source": "ab"[k % 2]}))
        answers[text] = [tag if draw.random() > wrong else "O" for tag in (*GOLD, "O")]
    return data, answers


def test_interval_of_f1_is_close_to_that_of_a_bootstrap_over_sentences():
    """The interval is that of a rate, mapped: a second, independent way to it."""
    data, answers = many(200)
    records = run(data, answers)
    f1 = next(record for record in records if isinstance(record, Measurement) and record.key == "f1").estimate
    tagset = Tagset.of(TAGS)
    decisions = Decisions.of(
        [tagset.entities(each.gold) for each in data],
        [tagset.entities(answers[each.text]) for each in data],
        clusters=[each.cluster for each in data],
    )
    other = stats.bootstrap(
        decisions.pooled_f1, n=200, rng=np.random.default_rng(0), clusters=[each.cluster for each in data]
    )
    assert other.value == pytest.approx(f1.value)
    assert f1.low == pytest.approx(other.low, abs=0.01)
    assert f1.high == pytest.approx(other.high, abs=0.01)
    assert f1.clusters == 200


def test_groups_and_outcomes_and_cases():
    data, answers = many()
    records = run(data, answers)
    found = values(records)
    assert {"f1[group=source=a]", "f1[group=source=b]", "macro_f1"} <= found.keys()
    outcomes = next(record for record in records if isinstance(record, Outcomes))
    assert len(outcomes.example_id) == 60
    right = [answers[each.text] == list(each.gold) for each in sorted(data, key=lambda each: each.id)]
    assert [bool(mark) for mark in outcomes.correct] == right
    cases = [record for record in records if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert cases[0].gold == "person: Ada Stone; person: Alan; place: New York; place: Rome"
    assert len({case.example_id for case in cases}) == 8


def test_a_tagger_that_finds_nothing_looks_good_on_words_only():
    data, _ = many()
    found = values(run(data, {each.text: ["O"] * 10 for each in data}))
    assert found["f1"] == 0.0
    assert found["word_accuracy"] == found["commonest_label"] == 0.4
    assert found["word_accuracy_over_commonest"] == 0.0


def test_data_without_an_entity_give_a_reason():
    data = [Example.of(f"no name {k}", gold=("O", "O", "O")) for k in range(12)]
    records = run(data, {each.text: ["O"] * 3 for each in data})
    skipped = {record.name: record.reason for record in records if isinstance(record, Skip)}
    assert skipped["f1"] is skipped["recall"] is SkipReason.UNDEFINED
