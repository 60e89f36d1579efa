"""A run beside its baseline: paired item by item, refused where the two were not asked the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from audits.comparison.baseline import compare_with, write_comparison
from audits.executor import parquet
from probes.core import stats
from probes.core.comparison import Comparison
from probes.core.errors import IntegrityError, UsageError
from probes.core.examples import DataCard
from probes.core.manifest import Environment, Manifest, PlannedStep
from probes.core.records import SCHEMA_VERSION, Better, Outcomes, StepEnd, to_line
from probes.core.run_folder import RunFolder, write_atomic
from tests.conftest import model_card


def outcomes(correct=None, *, changed=None, variants=("",), clusters=None, score=None, gold=None, order=None):
    """One row per item and variant; `correct[variant]` and `changed[variant]` are lists over the items."""
    correct, changed = correct or {}, changed or {}
    n = len(next(iter([*correct.values(), *changed.values(), score or []])))
    rows = [(k, variant) for variant in variants for k in range(n)]
    rows = [rows[k] for k in order] if order is not None else rows
    return Outcomes(
        example_id=[f"item{k}" for k, _ in rows],
        cluster=[clusters[k] if clusters else f"item{k}" for k, _ in rows],
        variant=[variant for _, variant in rows],
        after=["a" for _ in rows],
        before=[None for _ in rows],
        gold=[str(gold[k]) if gold is not None else None for k, _ in rows],
        correct=[correct[variant][k] if variant in correct else None for k, variant in rows],
        changed=[changed[variant][k] if variant in changed else None for k, variant in rows],
        score=[score[k] if score is not None else None for k, _ in rows],
    )


def run(folder, found, *, data="d" * 64, dtype="float32", written=True, domains=None, **planned):
    """A run folder of one step."""
    fields = {"probe": "performance.quality", "version": 1, "parameters": {}, "sample": "s", **planned}
    step = PlannedStep(step_id=f"{folder.name}step", risk="performance", title="Quality", items=10, calls=10, **fields)
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        run_id=folder.name,
        created="2026-01-01T00:00:00Z",
        command=(),
        config={},
        policy="p",
        policy_digest="0" * 64,
        seed=0,
        model=model_card(),
        data=DataCard(name="d", source="d", fingerprint=data, n=10, labelled=10),
        domains=domains or {},
        environment=Environment(
            tool="1", python="3", platform="p", device="cpu", device_name="c", dtype=dtype, threads=1, packages={}
        ),
        steps=(step,),
        skips=(),
        methodology={},
        suite="full",
    )
    made = RunFolder(folder)
    write_atomic(made.manifest_path, manifest.model_dump_json().encode())
    if written:
        end = StepEnd(status="done", records=0, items=len(found) if found else 0)
        write_atomic(made.step_path(step.step_id), (to_line(end) + "\n").encode())
    if found is not None:
        write_atomic(made.outcomes_path(step.step_id), parquet(found))
    return made


def only(comparison: Comparison):
    (step,) = comparison.steps
    return step


def flags(n=400, share=0.8, seed=0):
    return [bool(flag) for flag in np.random.default_rng(seed).random(n) < share]


def test_items_are_paired_whatever_their_order(tmp_path):
    old, new = flags(share=0.85, seed=1), flags(share=0.8, seed=2)
    order = np.random.default_rng(3).permutation(len(new))
    before = run(tmp_path / "old", outcomes({"": old}))
    after = run(tmp_path / "new", outcomes({"": new}, order=order))
    step = only(compare_with(after, before))
    (found,) = step.measurements
    assert (found.key, found.better, step.paired) == ("accuracy_vs_baseline", Better.HIGHER, 400)
    expected = stats.paired_difference(np.array(old), np.array(new))
    assert found.estimate.value == pytest.approx(np.mean(new) - np.mean(old))
    assert (found.estimate.low, found.estimate.high) == pytest.approx((expected.low, expected.high))


def test_a_pairing_sees_what_two_separate_rates_do_not(tmp_path):
    old = flags(share=0.85)
    lost = [k for k, right in enumerate(old) if right][:12]
    new = [right and k not in lost for k, right in enumerate(old)]
    (found,) = only(
        compare_with(run(tmp_path / "new", outcomes({"": new})), run(tmp_path / "old", outcomes({"": old})))
    ).measurements
    assert found.estimate.high < 0, "twelve items lost and none gained is a loss"
    rates = [stats.rate(np.array(flag)) for flag in (old, new)]
    assert rates[0].low < rates[1].high, "side by side the two intervals overlap"


def test_variants_of_one_text_are_not_independent(tmp_path):
    old, new = flags(seed=4), flags(seed=5)
    twice = ["a" + str(k // 4) for k in range(400)]
    alone = only(compare_with(run(tmp_path / "b", outcomes({"": new})), run(tmp_path / "a", outcomes({"": old}))))
    tied = only(
        compare_with(
            run(tmp_path / "d", outcomes({"": new}, clusters=twice)),
            run(tmp_path / "c", outcomes({"": old}, clusters=twice)),
        )
    )
    assert (alone.measurements[0].estimate.clusters, tied.measurements[0].estimate.clusters) == (400, 100)


def test_every_setting_is_compared_and_free_variants_as_a_whole(tmp_path):
    settings = ("severity=1", "severity=2")
    old = {name: flags(seed=k) for k, name in enumerate(settings)}
    new = {name: flags(seed=k + 9) for k, name in enumerate(settings)}
    both = [
        run(tmp_path / name, outcomes(correct, changed=correct, variants=settings))
        for name, correct in (("old", old), ("new", new))
    ]
    keys = [found.key for found in only(compare_with(both[1], both[0])).measurements]
    assert keys == [f"{name}[severity={k}]" for k in (1, 2) for name in ("accuracy_vs_baseline", "changed_vs_baseline")]
    free = ("John → Jack", "a, b=c")
    both = [
        run(tmp_path / f"free {name}", outcomes({}, changed={each: flags(seed=k) for each in free}, variants=free))
        for k, name in enumerate(("old", "new"))
    ]
    (found,) = only(compare_with(both[1], both[0])).measurements
    assert (found.key, found.estimate.n) == ("changed_vs_baseline", 800)


def test_predicted_numbers_are_compared_by_their_errors(tmp_path):
    rng = np.random.default_rng(0)
    gold = rng.normal(size=300)
    old, new = gold + rng.normal(scale=0.3, size=300), gold + rng.normal(scale=0.5, size=300)
    (found,) = only(
        compare_with(
            run(tmp_path / "new", outcomes({}, score=new.tolist(), gold=gold.tolist())),
            run(tmp_path / "old", outcomes({}, score=old.tolist(), gold=gold.tolist())),
        )
    ).measurements
    expected = ttest_rel(np.abs(new - gold), np.abs(old - gold)).confidence_interval(0.95)
    assert found.name == "absolute_error_vs_baseline"
    assert (found.estimate.low, found.estimate.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version 2, now 1"),
        ({"parameters": {"severities": [1]}}, "other settings"),
        ({"sample": "t"}, "other items"),
        ({"probe": "performance.other"}, "did not run this test"),
        ({"written": False}, "the baseline keeps no outcomes"),
    ],
)
def test_what_was_not_asked_the_same_is_refused(tmp_path, changes, said):
    comparison = compare_with(
        run(tmp_path / "new", outcomes({"": flags()})), run(tmp_path / "old", outcomes({"": flags()}), **changes)
    )
    step = only(comparison)
    assert said in step.refused
    assert not step.measurements
    assert comparison.baseline.refused == (f"Quality: {step.refused}",)


def test_items_that_the_model_chose_are_refused(tmp_path):
    old, new = outcomes({"": flags(100)}), outcomes({"": flags(90)})
    step = only(compare_with(run(tmp_path / "new", new), run(tmp_path / "old", old)))
    assert "90 of 90 are in both runs" in step.refused


def test_a_step_without_outcomes_is_no_comparison(tmp_path):
    step = only(compare_with(run(tmp_path / "new", None), run(tmp_path / "old", outcomes({"": flags()}))))
    assert "the run keeps no outcomes" in step.refused


def test_other_data_are_an_error(tmp_path):
    new, old = run(tmp_path / "new", None), run(tmp_path / "old", None, data="e" * 64)
    with pytest.raises(IntegrityError, match="measured on other data"):
        compare_with(new, old)
    with pytest.raises(UsageError, match="not a run folder"):
        compare_with(new, RunFolder(tmp_path / "none"))


def test_damaged_outcomes_are_an_error(tmp_path):
    new, old = run(tmp_path / "new", outcomes({"": flags()})), run(tmp_path / "old", outcomes({"": flags()}))
    path = old.outcomes_path("oldstep")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match="damaged"):
        compare_with(new, old)


def test_what_else_differs_is_told_and_everything_is_read_back(tmp_path):
    card = DataCard(name="m", source="m", fingerprint="e" * 64, n=3, labelled=3)
    new = run(tmp_path / "new", outcomes({"": flags()}), dtype="bfloat16", domains={"mail": card})
    comparison = compare_with(new, run(tmp_path / "old", outcomes({"": flags()})))
    assert [(each.what, each.before, each.after) for each in comparison.differences] == [
        ("Number type", "float32", "bfloat16"),
        ("Data called mail", "", "e" * 12),
    ]
    write_comparison(new, comparison)
    assert Comparison.model_validate_json(new.comparison_path.read_bytes()) == comparison
    assert comparison.of("newstep") == only(comparison)
    assert comparison.of("oldstep") is None
