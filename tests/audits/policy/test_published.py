"""The list of published names is that of the code: nothing a probe publishes may be refused as unknown.

What each registered probe publishes is compared where it is run, with the contract of probes.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

import probes
from audits.policy.published import ON_REQUEST, PUBLISHED, SLICES
from probes.bias.stereotypes.crows_pairs import CrowsPairs
from probes.bias.stereotypes.pronouns import WinoBias, Winogender
from probes.bias.stereotypes.stereoset import StereoSet
from probes.core.answers import LANGUAGE_HEADS, ProblemType
from probes.core.comparison import SUFFIX
from probes.core.probe import Context
from probes.core.records import Measurement, Skip
from probes.core.stereotype_cases import Association, SentencePair
from probes.performance.calibration import Calibration
from probes.performance.quality import Quality
from probes.registry import load_registry
from probes.robustness.perturbed import PROBES as PERTURBED
from tests.conftest import (
    BAD,
    GOOD,
    FakeModel,
    FakeScorer,
    language_card,
    model_card,
    sentiment_rule,
    word_rule,
)

FOLDER = Path(probes.__file__ or "").parent
BUILT_IN = load_registry().probes
COMPARED = {name for name in PUBLISHED["bias.stereoset"] if name.endswith(SUFFIX)}


def sentence_pairs(*keys):
    """Pairs by twenty authors, half of each kind."""
    return tuple(
        SentencePair(
            more=f"The {one} number {k} was {GOOD[k % 5]}.",
            less=f"The {one} number {k} was {BAD[k % 3]}.",
            parts=tuple((key, ("this", "that")[k % 2]) for key in keys),
            cluster=f"author {k % 20}",
        )
        for k, one in enumerate(["film", "meal"] * 20)
    )


def associations():
    """Blanks and continuations about twenty terms."""
    return tuple(
        Association(
            context="The term was BLANK." if k % 2 else "Here is the term.",
            stereotype=f"The term was {GOOD[k % 5]}.",
            anti=f"The term was {BAD[k % 5]}.",
            unrelated="The term was elsewhere.",
            target=f"term {k // 2}",
            category="profession",
        )
        for k in range(40)
    )


def names_in(records):
    return {record.name for record in records if isinstance(record, Measurement)}


def require_listed(probe, records):
    """The name of each number, its direction and scale where they are listed, and the keys of its slices."""
    for found in (record for record in records if isinstance(record, Measurement)):
        known = PUBLISHED[probe][found.name]
        assert known.better in (None, found.better), found
        assert known.unit in (None, found.unit), found
        assert set(found.slice) <= SLICES[probe], found
    for skip in (record for record in records if isinstance(record, Skip)):
        assert set(skip.slice) <= SLICES[probe], skip


def test_every_built_in_probe_is_listed():
    assert set(PUBLISHED) == set(BUILT_IN) | set(ON_REQUEST)


@pytest.mark.parametrize("problem", sorted(LANGUAGE_HEADS))
@pytest.mark.parametrize(
    "probe",
    [
        CrowsPairs(cases=sentence_pairs("category", "direction")),
        WinoBias(cases=sentence_pairs("type", "stereotype")),
        Winogender(cases=sentence_pairs("stereotype")),
        StereoSet(cases=associations(), resamples=50),
    ],
    ids=lambda probe: probe.info.id,
)
def test_what_a_benchmark_publishes_is_listed(probe, problem):
    model = FakeScorer(rule=word_rule, card=language_card(problem))
    records = list(probe.run(model, [], Context(probe=probe.info.id)))
    assert probe.info.id in ON_REQUEST
    of_masked_models = {"aul_stereotype_share", "aula_stereotype_share"}
    assert names_in(records) >= PUBLISHED[probe.info.id].keys() - COMPARED - of_masked_models
    assert any(found.slice for found in records if isinstance(found, Measurement))
    require_listed(probe.info.id, records)


@pytest.mark.parametrize("problem", [ProblemType.REGRESSION, ProblemType.MULTI_LABEL])
@pytest.mark.parametrize("probe", [Quality(resamples=50), Calibration(), PERTURBED[0]], ids=lambda probe: probe.info.id)
def test_what_it_publishes_about_other_heads_is_listed(probe, problem, sentiment_examples):
    if problem not in probe.info.problems:
        pytest.skip("not for this kind of head")
    regression = problem is ProblemType.REGRESSION
    card = model_card(problem=problem, labels=("score",) if regression else ("negative", "positive"))
    model = FakeModel(rule=lambda text: sentiment_rule(text)[1:] if regression else sentiment_rule(text), card=card)
    golds = [float(len(each.text) % 7) if regression else (each.gold,) for each in sentiment_examples]
    data = [replace(each, gold=gold) for each, gold in zip(sentiment_examples, golds, strict=True)]
    records = list(probe.run(model, data, Context(probe=probe.info.id)))
    assert names_in(records)
    require_listed(probe.info.id, records)


def literal_names(folder: Path) -> set[str]:
    """Names of numbers that stand in the source as such."""
    found = set()
    for path in folder.rglob("*.py") if folder.is_dir() else [folder]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("measured", "Measurement"):
                named = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
                found |= {each.value for each in [*node.args[:1], *named] if isinstance(each, ast.Constant)}
    return {name for name in found if isinstance(name, str) and re.fullmatch("[a-z][a-z0-9_]*", name)}


@pytest.mark.parametrize(
    "probe", sorted(set(PUBLISHED) - {f"robustness.{each.perturbation.name}" for each in PERTURBED})
)
def test_names_in_the_source_are_listed(probe):
    risk, name = probe.split(".")
    place = FOLDER / risk / name
    if not (place.is_dir() or place.with_suffix(".py").exists()):
        pytest.skip("it shares its source with another probe")
    assert literal_names(place if place.is_dir() else place.with_suffix(".py")) <= PUBLISHED[probe].keys()


def literal_keys(folder: Path) -> set[str]:
    """Keys of slices that stand in the source as such: given as `part` or `slice`, or made by such a method."""
    found = set()
    for path in folder.rglob("*.py") if folder.is_dir() else [folder]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("part", "slice"):
                inside = [node.value]
            elif isinstance(node, ast.FunctionDef) and node.name in ("part", "slice", "whole"):
                inside = [node]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "part":
                inside = [node.value]
            else:
                continue
            dicts = [each for outer in inside for each in ast.walk(outer) if isinstance(each, ast.Dict)]
            keys = [key for each in dicts for key in each.keys]
            found |= {key.value for key in keys if isinstance(key, ast.Constant)}
    return found


@pytest.mark.parametrize(
    "probe", sorted(set(PUBLISHED) - {f"robustness.{each.perturbation.name}" for each in PERTURBED})
)
def test_keys_of_slices_in_the_source_are_listed(probe):
    risk, name = probe.split(".")
    place = FOLDER / risk / name
    if not (place.is_dir() or place.with_suffix(".py").exists()):
        pytest.skip("it shares its source with another probe")
    assert literal_keys(place if place.is_dir() else place.with_suffix(".py")) <= SLICES[probe]
