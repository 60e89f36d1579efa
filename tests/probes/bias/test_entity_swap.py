from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np
import pytest

from probes.bias.entity_swap.probe import EntitySwap
from probes.bias.entity_swap.swaps import AXES, fillings, kinds_of, swaps_of
from probes.core.entities import Tagset
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, WordList
from tests.conftest import TAGS, FakeTagger, tagger_card
from tests.planted_tagger import FIRST, LAST, PLACES, tagged_sentences

DATA = [Example.of(" ".join(words), gold=tags) for words, tags in tagged_sentences()[:60]]
CONTEXT = Context(probe="bias.entity_swap")
NAMES = {group: set(names) for group, names in fillings("race_ethnicity").items()}


def finds(words, *, unknown=frozenset()):
    """Every word with a capital is a person, but places and what it does not know."""
    places = {*PLACES, *(name for names in fillings("nationality").values() for name in names)}
    tags, before = [], "O"
    for word in words:
        tag = "O"
        if word in places:
            tag = "B-place"
        elif word[:1].isupper() and word not in unknown:
            tag = "I-person" if word in LAST and before != "O" else "B-person"
        tags.append(tag)
        before = tag
    return tags


def run(rule=finds, *, data=DATA, card=None, **parameters):
    model = FakeTagger(rule=rule, card=card or tagger_card())
    return list(EntitySwap(**parameters).run(model, data, CONTEXT))


def of(kind, records):
    return [record for record in records if isinstance(record, kind)]


def measured(records):
    return {record.key: record.estimate for record in of(Measurement, records)}


def test_the_tagger_that_does_not_know_the_names_of_a_group_is_shown():
    found = measured(run(lambda words: finds(words, unknown=NAMES["black"])))
    assert found["recall[axis=race_ethnicity,group=black]"].value == 0.0
    assert found["recall[axis=race_ethnicity,group=white]"].value == 1.0
    assert found["recall_gap[axis=race_ethnicity]"].value == 1.0
    assert found["recall_gap[axis=race_ethnicity]"].tail(0.05).low > 0.8
    assert found["recall_gap[axis=nationality]"].value == 0.0


def test_its_twin_is_not():
    found = measured(run())
    for axis in AXES:
        assert found[f"recall_gap[axis={axis}]"].value == 0.0
        assert found[f"recall_gap[axis={axis}]"].tail(0.05).low <= 0.0
        assert found[f"recall_gap[axis={axis}]"].high > 0.0


def test_a_country_that_is_missed_is_shown():
    found = measured(run(lambda words: finds([word.replace("Nigeria", "there") for word in words])))
    assert found["recall[axis=nationality,group=nigerian]"].value == 0.0
    assert found["recall_gap[axis=nationality]"].value == 1.0


def test_recall_is_that_of_a_plain_count():
    def rule(words):
        """Misses names by their first letter."""
        return ["O" if word[0] in "ACEGIKM" else tag for word, tag in zip(words, finds(words), strict=True)]

    records = run(rule, axes=("gender",))
    tagset = Tagset.of(TAGS)
    data = sorted(DATA, key=lambda example: example.id)
    hits = defaultdict(list)
    for swap in swaps_of("gender", data, tagset, ("person",), draws=2, ctx=CONTEXT):
        hits[swap.group].append(swap.entity in tagset.entities(rule(swap.text.split())))
    for group, found in hits.items():
        assert measured(records)[f"recall[axis=gender,group={group}]"].value == pytest.approx(np.mean(found))
    gap = abs(np.mean(hits["female"]) - np.mean(hits["male"]))
    assert measured(records)["recall_gap[axis=gender]"].value == pytest.approx(gap)


def test_swaps_keep_the_sentence_and_say_where_the_name_is():
    tagset = Tagset.of(TAGS)
    swaps = swaps_of("race_ethnicity", DATA, tagset, ("person",), draws=2, ctx=CONTEXT)
    assert len(swaps) == len(DATA) * 4 * 2
    for swap in swaps:
        words = swap.text.split()
        assert words[swap.entity.start : swap.entity.end] == [swap.name]
        assert swap.name in NAMES[swap.group]
        left = [word for word in words if word != swap.name]
        assert left == [word for word in DATA[swap.item].text.split() if word not in (*FIRST, *LAST)]


def test_which_names_are_drawn_depends_on_the_item_alone():
    tagset = Tagset.of(TAGS)

    def drawn(data):
        swaps = swaps_of("gender", data, tagset, ("person",), draws=2, ctx=CONTEXT)
        return {(data[swap.item].id, swap.group, swap.name) for swap in swaps}

    assert drawn(DATA[:20]) < drawn(DATA[::-1])


def test_no_gap_is_shown_where_names_are_missed_by_chance():
    """One-sided error of 5 %: 40 taggers that miss three names in ten, whatever the group."""

    def chance(seed):
        def rule(words):
            drawn = hashlib.sha256(f"{seed} {' '.join(words)}".encode()).digest()[0] / 256
            return finds(words) if drawn > 0.3 else ["O"] * len(words)

        return rule

    shown = 0
    for seed in range(40):
        found = measured(run(chance(seed), axes=("race_ethnicity",), resamples=500))
        shown += found["recall_gap[axis=race_ethnicity]"].tail(0.05).low > 0
    assert shown <= 6  # beyond that with a chance of 1 in 100 if the error were 5 %


def test_sentences_in_which_a_name_is_cut_off_are_left_out_and_counted():
    def short(words):
        return [tag if place < 3 else None for place, tag in enumerate(finds(words))]

    records = run(short, axes=("gender",))
    account = of(Accounting, records)[0]
    assert 0 < account.scored < account.perturbed == len(DATA)
    assert "cut off were left out" in account.note
    assert measured(records)["recall[axis=gender,group=female]"].value == 1.0


def test_kinds_are_told_by_their_names_or_declared():
    tagset = Tagset.of(("O", "B-PER", "I-PER", "B-geo-loc", "B-artist"))
    assert kinds_of("people", tagset, ()) == ("PER",)
    assert kinds_of("places", tagset, ()) == ("geo-loc",)
    assert kinds_of("people", tagset, ("artist",)) == ("artist",)


def test_without_people_or_places_there_is_a_reason():
    card = tagger_card(("O", "B-drug", "I-drug"))
    data = [Example.of("take aspirin now", gold=("O", "B-drug", "O"))]
    records = run(lambda words: ["O"] * len(words), data=data, card=card)
    skips = of(Skip, records)
    assert {skip.slice["axis"] for skip in skips} == set(AXES)
    assert skips[0].reason is SkipReason.UNDEFINED
    assert skips[0].detail == "None of the kinds of entities (drug) is known to be people."
    few = of(Skip, run(data=DATA[:5]))
    assert {skip.reason for skip in few} == {SkipReason.TOO_FEW}


def test_cases_lists_and_outcomes():
    records = run(lambda words: finds(words, unknown=NAMES["black"]))
    cases = of(Evidence, records)
    assert [case.chosen for case in cases] == sorted((case.chosen for case in cases), key=["random", "worst"].index)
    worst = next(case for case in cases if case.chosen == "worst")
    assert "is found" in worst.note
    assert "is missed" in worst.note
    assert {listed.title for listed in of(WordList, records)} == {"First names", "Nationality: countries"}
    outcomes = of(Outcomes, records)[0]
    rows = len(DATA) * (2 * 2 + 4 * 2 + 14)
    assert len(outcomes.example_id) == rows
    assert len(set(zip(outcomes.example_id, outcomes.variant, strict=True))) == rows


@pytest.mark.parametrize("parameters", [{"axes": ("religion",)}, {"axes": ()}, {"draws": 0}])
def test_parameters_out_of_range_are_refused(parameters):
    with pytest.raises(ValueError, match=r"axes|draws"):
        EntitySwap(**parameters)
