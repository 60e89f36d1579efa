"""The probe of written texts finds planted defects, and says nothing of the kind about the twin without them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probes.core.examples import Accepted, Example
from probes.core.generated import room_for
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip
from probes.performance.generation import GenerationQuality, first_sentence
from tests.conftest import FakeGenerator

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hedy", "Ida", "Jon")
PLACES = ("Oslo", "Lima", "Rome", "Cairo")
DATA = [
    Example.of(
        f"{name} went to {place} on day {number}. Where did {name} go?",
        gold=Accepted([f"{name} went to {place} on that day", f"to {place}"]),
        groups={"place": place},
    )
    for number, name in enumerate(NAMES * 2)
    for place in PLACES
]


def right(prompt: str, _: int) -> str:
    return f"to {prompt.split()[3]}"


def run(rule, data=DATA, **how):
    model = FakeGenerator(rule=rule)
    records = list(GenerationQuality(**how).run(model, data, Context(probe="performance.generation")))
    return records, model


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def test_a_writer_that_is_right():
    records, model = run(right)
    found = numbers(records)
    for name in ("exact_match", "f1", "rouge_1", "rouge_l", "chrf"):
        assert found[name].value == 1.0
        assert found[name].low < 1.0 or name == "chrf"
    assert found["empty_rate"].value == found["unfinished_rate"].value == found["repetition_rate"].value == 0.0
    assert found["f1_over_trivial"].low > 0.05
    assert model.calls == 1
    assert model.decodings[0].max_tokens == room_for([["Hedy went to Cairo on that day"]])


def wrong_about_lima(prompt: str, k: int) -> str:
    return "somewhere else entirely" if "Lima" in prompt else right(prompt, k)


def test_a_group_that_is_answered_worse_is_found():
    found = numbers(run(wrong_about_lima)[0])
    assert found["f1[group=place=Lima]"].high < found["f1[group=place=Oslo]"].low
    assert found["rouge_l[group=place=Lima]"].high < found["rouge_l[group=place=Rome]"].low
    assert found["exact_match"].value == pytest.approx(0.75)
    clean = numbers(run(right)[0])
    assert clean["f1[group=place=Lima]"].value == clean["f1[group=place=Oslo]"].value


def test_empty_texts_are_unscored_and_shown():
    records, _ = run(lambda prompt, k: "" if "Lima" in prompt else right(prompt, k))
    found = numbers(records)
    assert found["empty_rate"].value == pytest.approx(0.25)
    assert found["f1"].value == 1.0
    assert found["f1"].n == 60
    (account,) = [record for record in records if isinstance(record, Accounting)]
    assert (account.eligible, account.scored, account.unscored) == (80, 60, 20)
    assert "20 empty texts" in account.note
    assert "f1[group=place=Lima]" not in found
    (outcomes,) = [record for record in records if isinstance(record, Outcomes)]
    assert [text == "" for text in outcomes.after] == [right is None for right in outcomes.correct]
    assert [text == "" for text in outcomes.after] == [score is None for score in outcomes.score]


def test_nothing_but_empty_texts_is_no_score():
    records, _ = run(lambda prompt, k: "")
    assert set(numbers(records)) == {"empty_rate", "unfinished_rate"}
    assert numbers(records)["empty_rate"].value == 1.0
    assert any(isinstance(record, Skip) for record in records)


def test_a_writer_that_never_ends_and_repeats_itself():
    found = numbers(run(lambda prompt, k: "so it goes on " * (8 + len(prompt) % 3), max_tokens=24)[0])
    assert found["unfinished_rate"].low > 0.9
    assert found["repetition_rate"].low > 0.9
    clean = numbers(run(right)[0])
    assert clean["unfinished_rate"].high < 0.1
    assert clean["repetition_rate"].high < 0.1


def test_the_trivial_writer_is_the_better_of_two():
    copied = [Example.of(f"Fact {k} is so. And so on.", gold=Accepted([f"Fact {k} is so"])) for k in range(20)]
    titles = {r.name: r.title for r in run(right, copied)[0] if isinstance(r, Measurement)}
    assert titles["trivial_f1"].endswith("the first sentence of the prompt")
    always = [Example.of(f"Question {k}?", gold=Accepted(["yes" if k % 4 else "no"])) for k in range(20)]
    records, _ = run(lambda prompt, k: "yes", always)
    titles = {r.name: r.title for r in records if isinstance(r, Measurement)}
    assert titles["trivial_f1"].endswith("always the commonest reference")
    assert numbers(records)["f1_over_trivial"].value == 0.0


def test_texts_longer_and_shorter_than_their_references():
    short = [replace(each, gold=Accepted([f"to {each.groups['place']}"])) for each in DATA]
    longer = numbers(run(lambda prompt, k: "to it " * (1 + len(prompt) % 3), short)[0])
    assert longer["length_ratio"].low > 1.2
    shorter = numbers(run(lambda prompt, k: "to" if len(prompt) % 2 else "to it", short)[0])
    assert shorter["length_ratio"].high < 1.0


def test_cases_show_prompt_text_and_references():
    cases = [record for record in run(wrong_about_lima)[0] if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert all("Lima" in case.shown[0].texts[0] for case in cases[3:])
    assert cases[3].shown[0].answer == "somewhere else entirely"
    assert " | to Lima" in (cases[3].gold or "")
    assert cases[3].note == "F1 0.00"


def test_pairs_and_items_without_a_reference_are_counted():
    data = [*DATA[:20], replace(DATA[30], gold=None), Example.of(("a", "b"), gold=Accepted(["c"]))]
    (account,) = [record for record in run(right, data)[0] if isinstance(record, Accounting)]
    assert (account.eligible, account.scored, account.unscored) == (20, 20, 2)
    assert account.note == "1 item with a pair in place of a prompt"


def test_limit_of_tokens():
    assert room_for([["no"]]) == 16
    assert room_for([["a" * 100, "b"], ["c"]]) == 50
    assert room_for([["a" * 10_000]]) == 512
    (decoding,) = run(right, max_tokens=7, stop=("\n",))[1].decodings
    assert (decoding.max_tokens, decoding.stop, decoding.temperature) == (7, ("\n",), 0)
    with pytest.raises(ValueError, match="empty text"):
        GenerationQuality(stop=("",))
    with pytest.raises(ValueError, match="max_tokens"):
        GenerationQuality(max_tokens=0)


@pytest.mark.parametrize(
    ("text", "first"),
    [("One. Two.", "One."), ("Title\nText.", "Title"), ("No end", "No end"), ("3.5 is it! No.", "3.5 is it!")],
)
def test_first_sentence(text, first):
    assert first_sentence(text) == first
