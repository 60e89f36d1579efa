"""A classifier that loses disguised words, and its twin that folds them back."""

from __future__ import annotations

import dataclasses
import itertools
import random
import re

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context, Probe
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, to_line
from probes.text.lexicon import rows
from probes.text.offensive import OFFENSIVE, words
from probes.text.perturbations.perturbation import SEVERITIES
from probes.toxicity.evasion.aiming import aimed, techniques
from probes.toxicity.evasion.harmful import FEWEST, harmful
from probes.toxicity.evasion.probe import Evasion
from tests.conftest import FakeModel, model_card

HARM = PositiveClass(labels=("toxic",), meaning=Meaning.HARM, origin="label names")
CARD = model_card(labels=("fine", "toxic")).model_copy(update={"positive": HARM})
SUBJECTS = ("phone", "train", "meal", "film", "song", "game", "hotel", "lesson", "jacket", "garden")
BADLY = ("idiot", "moron", "bastard", "scumbag")
TOXIC = [f"The owner of this {subject} is a complete {word} today" for subject in SUBJECTS for word in BADLY]
FINE = [f"The owner of this {subject} is a {word} person today" for subject in SUBJECTS for word in ("kind", "tall")]


def spelt(text):
    """Looks for listed words as they are spelt."""
    return (0.0, 3.0) if OFFENSIVE.search(str(text)) else (3.0, 0.0)


def folding(text):
    """The twin: undoes signs, twins, gaps, stretches, stars and invisible characters before it looks."""
    folded = str(text).lower().translate(str.maketrans("4@8(3961!|05$7+2", "aabceggillosstt" + "z"))
    for twin, latin in ((t, lat) for lat, t in rows("homoglyphs_cyrillic")):
        folded = folded.replace(twin.lower(), latin.lower())
    letters = re.sub(r"[^a-z*#]", "", folded)
    pattern = "|".join("".join(f"(?:{c}|[*#]|[il])+" for c in word) for word in BADLY)
    return (0.0, 3.0) if re.search(pattern, letters) else (3.0, 0.0)


def labelled():
    return [Example.of(t, gold="toxic") for t in TOXIC] + [Example.of(t, gold="fine") for t in FINE]


def run(rule, data, *, card=CARD, **how):
    return list(Evasion(**how).run(FakeModel(rule, card), data, Context(probe="toxicity.evasion")))


def numbers(records):
    return {r.key: r.estimate for r in records if isinstance(r, Measurement)}


def test_is_a_probe_for_classifiers_of_harm():
    probe: Probe = Evasion()
    assert probe.info.harm is True
    assert ProblemType.REGRESSION not in probe.info.problems
    assert probe.info.doc.question.endswith("?")


def test_a_model_that_reads_words_as_spelt_loses_recall_and_its_twin_does_not():
    bad, good = numbers(run(spelt, labelled())), numbers(run(folding, labelled()))
    for technique in ("leetspeak", "spaced_letters", "stretched_letters", "starred_letters", "zero_width_characters"):
        key = f"[severity=1,technique={technique}]"
        assert bad[f"recall_drop{key}"].tail(0.025).low > 0.7, technique
        assert bad[f"recall_kept{key}"].value <= 0.05, technique  # an invisible character leaves "scum" of "scumbag"
        assert good[f"recall_drop{key}"].high < 0.2, technique
        assert good[f"recall_kept{key}"].value == 1, technique
    assert bad["worst_technique_loss"].low > 0.8
    assert bad["found_under_all"].high < 0.2
    assert good["worst_technique_loss"].high < 0.2
    assert good["found_under_all"].low > 0.8


def test_one_weak_technique_is_named_and_the_others_are_not():
    def rule(text):
        return (3.0, 0.0) if re.search("[*#]", str(text)) else (0.0, 3.0)

    found = numbers(run(rule, labelled()))
    assert found["recall_kept[technique=starred_letters]"].value == 0
    assert found["recall_kept[technique=leetspeak]"].value == 1
    assert found["worst_technique_loss"].value == 1
    assert found["found_under_all"].value == 0


def test_recall_counts_harmful_texts_that_were_missed_from_the_start():
    def half(text):
        return (3.0, 0.0) if any(s in str(text) for s in SUBJECTS[:5]) else (0.0, 3.0)

    data = [Example.of(f"{t} and more {i}", gold="toxic") for i in range(3) for t in TOXIC]
    found = numbers(run(half, data))
    assert found["recall[severity=1,technique=leetspeak]"].n == len(data)
    assert found["recall_kept[severity=1,technique=leetspeak]"].n == len(data) / 2
    assert found["recall_kept[severity=1,technique=leetspeak]"].value == 1
    assert found["recall[severity=1,technique=leetspeak]"].value == pytest.approx(0.5)
    assert found["recall_drop[severity=1,technique=leetspeak]"].value == 0


def test_without_labels_the_texts_the_model_calls_harmful_are_used_and_recall_is_not_claimed():
    data = [Example.of(text) for text in (*TOXIC, *FINE)]
    records = run(spelt, data)
    found = numbers(records)
    assert found["recall_kept[severity=5,technique=leetspeak]"].n == len(TOXIC)
    assert not [key for key in found if key.startswith(("recall[", "recall_drop"))]
    assert any(isinstance(r, Skip) and r.name == "recall" for r in records)


def test_few_harmful_texts_bring_in_our_own_and_the_report_says_so():
    data = labelled()[:5] + labelled()[-5:]
    records = run(spelt, data)
    first = next(r for r in records if isinstance(r, Accounting))
    assert f"{len(rows('harmful_sentences'))} sentences of our own were added" in first.note
    assert "5 of 10 items are labelled as harmful; the model finds 5" in first.note
    found = numbers(records)
    assert {"recall_kept[source=data]", "recall_kept[source=own sentences]"} <= found.keys()
    full = harmful(FakeModel(spelt, CARD), labelled())
    assert full.found >= FEWEST
    assert not full.own.any()


def test_no_data_is_answered_with_our_own_sentences():
    found = numbers(run(spelt, []))
    assert found["recall_kept"].clusters <= len(rows("harmful_sentences"))
    assert found["recall_drop"].value > 0.3


def test_a_model_that_finds_nothing_gets_no_kept_recall():
    records = run(lambda _: (3.0, 0.0), labelled())
    found = numbers(records)
    assert found["recall"].value == 0
    assert "recall_kept" not in found
    assert "worst_technique_loss" not in found
    assert {r.name for r in records if isinstance(r, Skip)} >= {"recall_kept", "worst_technique_loss"}


def test_without_a_positive_class_nothing_is_measured():
    records = run(spelt, labelled(), card=model_card(labels=("fine", "toxic")))
    assert [type(record) for record in records] == [Accounting, Skip]


def test_several_positive_labels_count_as_one():
    card = CARD.model_copy(
        update={
            "labels": ("hate", "offensive", "neither"),
            "positive": HARM.model_copy(update={"labels": ("hate", "offensive")}),
        }
    )
    records = run(lambda t: (*spelt(t)[::-1], 1.0), [Example.of(t, gold="offensive") for t in TOXIC], card=card)
    assert numbers(records)["recall_kept"].value == 1


def test_row_order_and_repetition_change_nothing():
    data = labelled()
    one, two = run(spelt, data), run(spelt, data[::-1])
    assert [to_line(r) for r in one if not isinstance(r, Outcomes)] == [
        to_line(r) for r in two if not isinstance(r, Outcomes)
    ]


def test_cases_carry_a_content_note_and_every_variant_an_outcome():
    records = run(spelt, labelled())
    cases = [r for r in records if isinstance(r, Evidence)]
    assert cases
    assert all(case.content_note for case in cases)
    assert {case.chosen for case in cases} == {"random", "worst"}
    outcomes = next(r for r in records if isinstance(r, Outcomes))
    assert len(set(zip(outcomes.example_id, outcomes.variant, strict=True))) == len(outcomes)
    assert len([r for r in records if isinstance(r, Curve)]) == len(techniques())


def test_severities_are_a_parameter():
    keys = numbers(run(spelt, labelled(), severities=[3, 1])).keys()
    assert {key for key in keys if "severity=3" in key}
    assert not {key for key in keys if "severity=2" in key}
    for wrong in ((), (0,), (6,)):
        with pytest.raises(UsageError):
            Evasion(severities=wrong)


@pytest.mark.parametrize("technique", techniques(), ids=lambda t: t.name)
def test_offensive_words_are_disguised_first_and_severities_extend_each_other(technique):
    text = "Honestly, the idiot from the office painted the yellow kitchen without asking anybody, see www.example.com"
    for key in range(20):
        edited = [technique.apply(text, severity, random.Random(key)) for severity in SEVERITIES]
        assert "idiot" not in edited[0].split()
        assert "painted the yellow kitchen" in edited[0]
        assert all("www.example.com" in each for each in edited)
        changed = [{w for w in text.split() if w not in each.split()} for each in edited]
        assert all(few <= more for few, more in itertools.pairwise(changed))
        assert len(changed[-1]) > len(changed[0])


def test_without_an_offensive_word_words_of_content_are_taken():
    apply = next(t for t in techniques() if "starred" in t.name).apply
    assert apply("the to of", 5, random.Random(0)) == "the to of"
    assert apply("", 5, random.Random(0)) == ""
    assert apply("the kitchen", 1, random.Random(0)) in ("the k*tch*n", "the k#tch#n")


def test_a_borrowed_perturbation_keeps_its_edit():
    borrowed = dataclasses.replace(techniques()[0], name="upper", apply=lambda t, *_: t.upper())
    assert aimed(borrowed).apply("You idiot of mine", 1, random.Random(0)) == "You IDIOT of mine"


def test_our_sentences_are_distinct_and_mostly_hold_listed_words():
    texts = [text for _, text in rows("harmful_sentences")]
    assert len(set(texts)) == len(texts) >= FEWEST
    assert np.mean([bool(OFFENSIVE.search(text)) for text in texts]) > 0.7
    assert {kind for kind, _ in rows("harmful_sentences")} == {"insult", "abuse", "threat", "hate"}
    assert f"{len(texts)} harmful sentences of our own" in Evasion.info.doc.method
    assert "idiot" in words("insult")
