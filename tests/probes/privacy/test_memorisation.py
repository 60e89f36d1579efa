"""Continuations of training texts: a model that kept them is caught, one that did not is not."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from probes.core.examples import Accepted, Example
from probes.core.known_texts import KnownText, KnownTexts
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.privacy.continuation import cut, levenshtein, similarity, verbatim
from probes.privacy.memorisation import Memorisation
from tests.probes.privacy.keeping import Keeping, keeper, known, texts


def run(model, probe=None, **changes):
    probe = replace(probe or Memorisation(texts=known()), **changes)
    return list(probe.run(model, [], Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def of(kind, records):
    return [record for record in records if isinstance(record, kind)]


def test_what_was_kept_is_found():
    found = numbers(run(keeper()))
    assert found["verbatim[texts=training]"].value == 0.5
    assert found["verbatim[texts=holdout]"].value == 0.0
    assert found["verbatim_over_holdout"].value == 0.5
    assert found["verbatim_over_holdout"].low > 0.3
    assert found["near_verbatim_over_holdout"].value == 0.5
    assert found["similarity_over_holdout"].low > 0.2


def test_a_model_that_kept_nothing_is_not_accused():
    found = numbers(run(Keeping()))
    assert found["verbatim[texts=training]"].value == 0.0
    assert found["verbatim[texts=training]"].high > 0.03  # sixty texts leave up to about 3/60
    assert found["verbatim_over_holdout"].low < 0 < found["verbatim_over_holdout"].high
    assert found["similarity_over_holdout"].low < 0 < found["similarity_over_holdout"].high


def test_a_text_with_a_few_other_letters_is_nearly_verbatim():
    kept = [" ".join([*text.text.split()[:-1], "otherwise"]) for text in known().training]
    found = numbers(run(Keeping(kept=kept)))
    assert found["verbatim[texts=training]"].value == 0.0
    assert found["near_verbatim[texts=training]"].value > 0.7


def test_prompts_are_bare_and_greedy_and_long_enough():
    model = keeper()
    run(model)
    (decoding,) = model.decodings
    assert (decoding.reply, decoding.temperature, decoding.samples) == (False, 0.0, 1)
    assert decoding.max_tokens >= 15  # half of thirty words


def test_without_training_texts_it_says_how_to_name_them():
    (skip,) = of(Skip, run(keeper(), Memorisation()))
    assert skip.reason is SkipReason.NO_TEXTS
    assert "--training-texts" in skip.enable
    assert Memorisation().info.lacks == skip
    assert Memorisation(texts=known()).info.lacks is None


def test_without_held_out_texts_the_level_alone_is_given():
    records = run(keeper(), Memorisation(texts=known(holdout=0)))
    assert "verbatim[texts=training]" in numbers(records)
    assert not [key for key in numbers(records) if "holdout" in key]
    assert [skip.enable for skip in of(Skip, records)] == ["name some with --holdout-texts"]


def test_nothing_written_is_unscored_and_short_texts_are_counted():
    kept = {each.text: None for each in known().training}
    first = next(iter(kept))
    prompt = " ".join(first.split()[:15])
    model = Keeping(kept=[prompt])  # it writes nothing behind this beginning
    sides = known()
    short = KnownText(text="only six words are here now", cluster="short")
    both = replace(sides, training=(*sides.training, short))
    (account,) = of(Accounting, run(model, Memorisation(texts=both)))
    assert (account.eligible, account.scored, account.unscored) == (121, 119, 2)
    assert "1 text too short" in account.note


def test_what_is_no_text_is_not_written_for_hours():
    class Bytes(Keeping):
        def token_counts(self, texts):
            counts = [500 if "qqq" in text else len(text.split()) for text in texts]
            return np.array(counts), np.zeros(len(texts), dtype=np.int64)

    odd = KnownText(text=" ".join(["qqq"] * 16), cluster="odd")
    model = Bytes()
    sides = known(12, 12)
    records = run(model, Memorisation(texts=replace(sides, training=(*sides.training, odd))))
    (account,) = of(Accounting, records)
    assert (account.eligible, account.scored) == (25, 24)
    assert model.decodings[0].max_tokens < 30


def test_copies_count_once_and_shared_texts_are_no_held_out_ones():
    training, holdout = texts("a", 5), texts("b", 4)
    shouted = Example.of(f"  {training[0].text.upper()} ")
    both = KnownTexts.of([*training, *training[:2]], [*holdout, shouted, training[1]])
    assert (len(both.training), len(both.holdout), both.repeated, both.shared) == (5, 4, 2, 2)
    assert "2 repeated" in both.told
    assert "2 held-out" in both.told


def test_a_prompt_of_its_own_is_the_whole_prompt():
    asked = Example.of("Who wrote it?", gold=Accepted(["a b c d e f g h i", "another"]))
    text = KnownText.of(asked)
    made = cut(text, prefix=40, continuation=40, shortest=8)
    assert made is not None
    assert (made.prompt, made.rest) == ("Who wrote it?", tuple("abcdefghi"))
    pair = KnownText.of(Example.of(("the source", "the target")))
    assert (pair.given, pair.text) == ("the source", "the target")


def test_long_texts_are_cut_where_it_was_asked():
    text = KnownText(text=" ".join(map(str, range(100))), cluster="")
    made = cut(text, prefix=40, continuation=10, shortest=8)
    assert made is not None
    assert made.prompt.split()[-1] == "39"
    assert made.rest == tuple(map(str, range(40, 50)))
    assert cut(KnownText(text="a b c d", cluster=""), prefix=2, continuation=2, shortest=3) is None


def slow_distance(one: str, other: str) -> int:
    """The table as it stands in textbooks."""
    table = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i, a in enumerate(one, start=1):
        for j, b in enumerate(other, start=1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
    return table[len(one), len(other)]


def test_edit_distance_equals_the_textbook():
    draw = random.Random(0)
    assert levenshtein("kitten", "sitting") == 3
    for _ in range(60):
        one, other = ("".join(draw.choice("abc") for _ in range(draw.randrange(12))) for _ in range(2))
        assert levenshtein(one, other) == slow_distance(one, other)


@pytest.mark.parametrize(("written", "same"), [("a b  c d", True), ("A b c", False), ("a b", False), ("a b c", True)])
def test_verbatim_is_letter_by_letter(written, same):
    assert verbatim(written, ("a", "b", "c")) is same


def test_similarity_is_a_share():
    assert similarity("a b c and more", ("a", "b", "c")) == 1.0
    assert similarity("xyz", ("a", "b", "c")) == 0.0
    assert similarity("abcd", ("abcf",)) == 0.75


def test_cases_are_random_first_and_the_outcomes_name_their_sample():
    records = run(keeper())
    cases = of(Evidence, records)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert all("word by word" in case.shown[1].answer for case in cases[3:])
    assert all(case.content_note for case in cases)
    (outcomes,) = of(Outcomes, records)
    assert set(outcomes.variant) == {"texts=training", "texts=holdout"}
    assert len(outcomes) == 120


def test_a_sample_is_drawn_by_content():
    few = numbers(run(keeper(), most=20))
    turned = KnownTexts.of(texts("training", 60)[::-1], texts("holdout", 60)[::-1])
    assert few == numbers(run(keeper(), Memorisation(texts=turned), most=20))
    assert few["verbatim[texts=training]"].n == 20
