"""What stands over the two texts of a case, and where the texts of a chapter are said to come from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probes.core.records import Evidence, Shown
from reports.cases import case_groups
from reports.chapters import chapters
from reports.limits import Limits
from reports.load import load
from tests.reports import synthetic_run as synthetic

PAIR = Evidence(
    example_id="a1",
    chosen="random",
    shown=(
        Shown(texts=("They hired her.",), answer="-12.1 bits"),
        Shown(texts=("They hired him.",), answer="-11.9 bits"),
    ),
)


@pytest.mark.parametrize(("alike", "headings"), [(False, ["Before", "After"]), (True, ["First text", "Second text"])])
def test_of_two_texts_that_were_written_for_the_test_none_is_the_other_one_changed(alike, headings):
    (group,) = case_groups([PAIR], limits=Limits(), alike=alike)
    assert [side.heading for side in group.cases[0].sides] == headings


def of_parts(parts):
    """A worst case of each part, as (kind, recipe)."""
    return [
        PAIR.model_copy(
            update={"example_id": str(place), "chosen": "worst", "slice": {"kind": kind, "recipe": recipe, "set": "a"}}
        )
        for place, (kind, recipe) in enumerate(parts)
    ]


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ("aaaaaaa", "aaaaa"),
        ("aaaaaaabbbc", "aabbc"),
        ("abcdefghabcdefgh", "abcdefgh"),
        ("aaabcdefghijklmnopq", "abcdefghijklmno"),
    ],
    ids=["one part", "few parts", "more parts than examples", "more parts than fit"],
)
def test_every_part_has_its_example_before_any_has_a_second(parts, shown):
    (group,) = case_groups(of_parts([("", part) for part in parts]), limits=Limits(cases=5))
    ids = [next(fact.value for fact in case.facts if fact.name == "Item") for case in group.cases]
    assert "".join(parts[int(place)] for place in ids) == shown
    assert ids == sorted(ids, key=int), "in the order of the record"
    assert f"{len(shown)} of {len(parts)} examples" in group.note


def test_every_kind_of_case_has_its_own_examples():
    (group,) = case_groups(of_parts([("odd", "a")] * 4 + [("even", "a"), ("even", "b")]), limits=Limits(cases=2))
    ids = [next(fact.value for fact in case.facts if fact.name == "Item") for case in group.cases]
    assert ids == ["0", "1", "4", "5"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"digest": ""}, "Texts of the test's own, which come with this version of it; none"),
        ({"digest": "0a1b"}, "Texts that were named for this test, their digest among its settings; none"),
        ({"training_texts": "0a1b"}, "Texts that were named for this test, their digest among its settings; none"),
    ],
)
def test_texts_that_the_user_named_are_not_called_the_tests_own(tmp_path, parameters, told):
    step = synthetic.Step("bias.pairs", "Pairs", [PAIR], parameters=parameters)
    loaded = load(synthetic.write(tmp_path, [step], []))
    own = loaded.manifest.steps[0].model_copy(update={"own_texts": True})
    loaded = replace(loaded, manifest=loaded.manifest.model_copy(update={"steps": (own,)}))
    ((risk,), _) = chapters(loaded, [], limits=Limits())
    chapter = risk.chapters[0]
    assert next(fact.value for fact in chapter.method if fact.name == "Data").startswith(told)
    assert chapter.cases[0].cases[0].sides[0].heading == "First text"
