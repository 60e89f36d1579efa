"""Planted secrets: exposure against its definition, and that no secret is ever shown."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.canaries import Canary
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, to_line
from probes.privacy.exposure import Exposure, Ranked
from tests.conftest import generator_card, language_card
from tests.probes.privacy.keeping import Keeping, canaries, keeper


def run(model, **changes):
    probe = replace(Exposure(canaries=canaries(), candidates=63), **changes)
    return list(probe.run(model, [], Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


@pytest.mark.parametrize("problem", [ProblemType.CAUSAL_LM, ProblemType.MASKED_LM])
def test_planted_secrets_are_exposed_and_others_are_not(problem):
    found = numbers(run(replace(keeper(), card=language_card(problem))))
    assert found["first_share"].value == pytest.approx(0.5, abs=0.01)
    kept, clean = found["exposure[canary=line 1]"], found["exposure[canary=line 2]"]
    assert kept.value == 6.0  # ahead of 63 others
    assert kept.low > 3.5
    assert kept.high == pytest.approx(math.log2(10**8))
    assert clean.value < 5
    assert clean.high < 8


def test_a_model_that_kept_nothing_has_the_exposure_of_chance():
    found = numbers(run(Keeping(), canaries=canaries(80), candidates=31))
    assert found["first_share"].low <= 1 / 32 <= found["first_share"].high
    expected = 5 - np.log2(np.arange(1, 33)).mean()  # of a rank among 32 drawn blindly
    bounds = found["mean_exposure"].tail(0.001)
    assert bounds.low < expected < bounds.high
    assert not [key for key in found if key.startswith("exposure[")]  # too many to name each


def test_the_rank_is_exact_where_all_secrets_are_compared():
    canary = Canary(line=3, before="The code is ", secret="42", after="!")
    found = numbers(run(Keeping(kept=["The code is 42!"]), canaries=(canary,), candidates=99))
    exact = found["exposure[canary=line 3]"]
    assert (exact.value, exact.low, exact.high) == (pytest.approx(math.log2(100)),) * 3
    assert "all 100" in exact.method


def test_equal_likelihoods_count_against_a_secret():
    class Same(Keeping):
        def score(self, texts, **how):
            found = super().score(texts, **how)
            found.logs[:] = -1.0
            return found

    items = Ranked.ask(Same(), canaries(3), most=63, ctx=Context(probe="p"))
    assert items.ahead.tolist() == [63] * 3
    assert items.exposures.tolist() == [0.0] * 3


def test_no_secret_is_shown_or_can_be_told_from_an_id():
    records = run(keeper(), canaries=canaries(5))
    for record in records:
        if isinstance(record, Outcomes):
            lines = [str(values) for _, values in record.columns()]
        else:
            lines = [to_line(record)]
        for canary in canaries(5):
            assert not any(canary.secret in line for line in lines)
    cases = [record for record in records if isinstance(record, Evidence)]
    assert len(cases) == 5
    assert cases[0].shown[0].texts[0].count("\u2217") == 8
    canary = canaries(1)[0]
    assert canary.id == replace(canary, secret="00000000").id
    assert canary.secret not in repr(Exposure(canaries=canaries(1)))


def test_candidates_have_the_form_of_the_secret():
    canary = Canary(line=1, before="", secret="aB-3 7", after="")
    drawn = canary.candidates(200, random.Random(0))
    assert len(set(drawn)) == 200
    assert canary.secret not in drawn
    for each in drawn:
        a, b, dash, c, blank, d = each
        assert (a.islower(), b.isupper(), dash, c.isdigit(), blank, d.isdigit()) == (True, True, "-", True, " ", True)
    assert canary.possible == 26 * 26 * 100
    every = Canary(line=1, before="", secret="7", after="").candidates(50, random.Random(0))
    assert sorted(every) == sorted("012345689")


def test_sequence_to_sequence_models_are_given_what_stands_before():
    model = Keeping(card=generator_card(ProblemType.SEQ2SEQ_LM))
    asked = []
    score = model.score
    model.score = lambda texts, **how: asked.extend(texts) or score(texts, **how)  # type: ignore[method-assign]
    bare = Canary(line=9, before="", secret="12345678", after="")
    Ranked.ask(model, [*canaries(1), bare], most=3, ctx=Context(probe="p"))
    assert len(asked) == 4
    assert asked[0] == ("Number 0 of the vault is ", f"{canaries(1)[0].secret}.")


def test_what_is_not_read_to_its_end_is_unscored():
    records = run(Keeping(longest=3), canaries=canaries(2))
    (account,) = [record for record in records if isinstance(record, Accounting)]
    assert (account.eligible, account.scored, account.unscored) == (2, 0, 2)
    assert [record.reason for record in records if isinstance(record, Skip)] == [SkipReason.UNDEFINED]


def test_without_canaries_it_says_how_to_name_them():
    (skip,) = [record for record in run(keeper(), canaries=()) if isinstance(record, Skip)]
    assert "--canaries" in skip.enable
    assert Exposure().info.lacks == skip


def test_bounds_cover_the_exposure_that_all_secrets_would_give():
    """Of 1000 possible secrets 40 are likelier; 63 drawn ones tell of it."""
    inside = 0
    truth = math.log2(1000) - math.log2(41)
    for k in range(300):
        drawn = np.random.default_rng(k).choice(999, size=63, replace=False)
        canary = Canary(line=1, before="", secret="500", after="")
        ahead = np.array([int((drawn < 40).sum())])
        items = Ranked((canary,), ahead=ahead, candidates=np.array([63]), near=np.array([False]))
        found = items.exposure(0)
        inside += found.low <= truth <= found.high
    assert inside >= 0.94 * 300
