"""Misleading statements have the words of the question and do not answer it."""

from __future__ import annotations

import random

import pytest

from probes.core.answer_scores import f1, normalised
from probes.data.builtin import builtin_questions
from probes.text.distractors import distractor

CONTEXT = "Ada Lovelace moved to Rome in 1931. She wrote 412 letters."


def made(question, *golds, context=CONTEXT, seed=0):
    return distractor(question, context, golds, random.Random(seed))


@pytest.mark.parametrize("seed", range(20))
def test_names_and_numbers_are_exchanged_and_the_rest_is_kept(seed):
    statement = made("Where did Ada Lovelace move in 1931?", "Rome", seed=seed)
    assert statement is not None
    assert "Ada" not in statement
    assert "Lovelace" not in statement
    assert "1931" not in statement
    assert "Rome" not in statement
    assert " move in " in statement
    assert statement.endswith(".")
    assert "?" not in statement


@pytest.mark.parametrize(
    ("question", "gold", "shape"),
    [
        ("Who moved to Rome in 1931?", "Ada Lovelace", r"\w+ \w+ moved to \w+ in \d{4}\."),
        ("When did Ada Lovelace move to Rome?", "1931", r"\w+ \w+ move to \w+ in \d{4}\."),
        ("How many letters did Ada Lovelace write?", "412", r"\w+ \w+ write \d{3}\."),
        ("In which month did Ada Lovelace leave Rome?", "May", r"\w+ \w+ leave \w+ in \w+ \w+\."),
        ("What is the capital of Lovelace?", "a rose", r"The capital of \w+ is [a-z ]+\."),
        ("Which river crosses Rome?", "the wide one", r"[A-Z][a-z ]+ river crosses \w+\."),
        ("Why was Ada Lovelace late?", "the rain", r"\w+ \w+ late was because [a-z ]+\."),
    ],
)
def test_the_statement_has_the_form_of_the_question_and_the_type_of_the_answer(question, gold, shape):
    import re

    statement = made(question, gold)
    assert statement is not None
    assert re.fullmatch(shape, statement), statement


def test_without_a_name_or_a_number_there_is_none():
    assert made("Where did she move?", "Rome") is None
    assert made("Where is the tallest tower?", "Rome") is None


def test_what_is_no_question_has_none():
    assert made("Name the city of Ada Lovelace.", "Rome") is None


def test_one_name_is_exchanged_for_one_name():
    statement = made("Was it Ada who knew where Ada lived?", "Rome")
    assert statement is None or len(set(statement.split()) & set(CONTEXT.split())) <= 2


def test_none_of_the_built_in_answers_is_in_its_statement():
    count = 0
    for example in builtin_questions().examples:
        question, context = example.text
        statement = distractor(question, context, example.gold, random.Random(example.id))
        if statement is None:
            continue
        count += 1
        for gold in example.gold:
            assert f" {normalised(gold)} " not in f" {normalised(statement)} "
            assert f1(statement.rstrip(".").split()[-1], [gold]) == 0
    assert count >= 30


def test_the_same_draw_gives_the_same_statement():
    question = "Where did Ada Lovelace move in 1931?"
    assert made(question, "Rome", seed=3) == made(question, "Rome", seed=3)
    assert len({made(question, "Rome", seed=seed) for seed in range(20)}) > 10
