"""Metrics that users name: loading, resampling, and what happens when they do not work."""

from __future__ import annotations

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.errors import AuditError, UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Better, Measurement, Skip, SkipReason, Unit
from probes.performance.quality import Quality
from probes.performance.user_metrics import UserMetric, snake_case
from tests.conftest import FakeModel, model_card

METRIC = """
import datasets
import evaluate


class Mine(evaluate.Metric):
    def _info(self):
        number = datasets.Value("{kind}")
        return evaluate.MetricInfo(
            description="d", citation="c", inputs_description="i",
            features=datasets.Features({{"predictions": {column}, "references": {column}}}),
        )

    def _compute(self, predictions, references):
        {body}
"""
ACCURACY = (
    "right = sum(p == r for p, r in zip(predictions, references)); "
    "return {'Right answers': right / len(references), 'errors': len(references) - right, 'by label': [1, 2]}"
)


@pytest.fixture
def metric_file(tmp_path):
    def write(body, *, name="my_metric", kind="int32", column="number"):
        path = tmp_path / f"{name}.py"
        path.write_text(METRIC.format(body=body, kind=kind, column=column))
        return str(path)

    return write


def run(source, data, model, **parameters):
    probe = UserMetric(source=source, resamples=200, **parameters)
    return list(probe.run(model, data, Context(probe=probe.info.id)))


def said(text):
    return float(str(text).split("|")[1])


def model():
    return FakeModel(rule=lambda text: (0.0, said(text)))


def data(n=80, wrong=0.2, seed=0):
    rng = np.random.default_rng(seed)
    answers = rng.normal(0, 1, n).round(3)
    flipped = rng.random(n) < wrong
    return [
        Example.of(f"{i} |{z}", gold="positive" if (z > 0) ^ bool(f) else "negative")
        for i, (z, f) in enumerate(zip(answers, flipped, strict=True))
    ]


def test_info():
    info = UserMetric(source="./team/Our Metric-2.py").info
    assert info.id == "performance.metric_our_metric_2"
    assert info.gold
    assert UserMetric(source="org/f1").info.id == "performance.metric_f1"
    assert snake_case("2nd") == "m_2nd"


def test_numbers_agree_with_the_same_metric_of_ours(metric_file):
    items = data()
    records = run(metric_file(ACCURACY), items, model(), better=Better.CONTEXT)
    ours = next(r for r in Quality(resamples=50).run(model(), items, Context(probe="q")) if isinstance(r, Measurement))
    found = {r.name: r for r in records if isinstance(r, Measurement)}
    assert set(found) == {"right_answers", "errors"}
    theirs = found["right_answers"]
    assert (theirs.better, theirs.unit) == (Better.CONTEXT, Unit.SCORE)
    assert theirs.estimate.value == pytest.approx(ours.estimate.value)
    assert theirs.estimate.low == pytest.approx(ours.estimate.low, abs=0.03)
    assert theirs.estimate.high == pytest.approx(ours.estimate.high, abs=0.03)
    assert found["errors"].estimate.value == round((1 - ours.estimate.value) * 80)
    skip = next(r for r in records if isinstance(r, Skip))
    assert (skip.name, skip.reason) == ("by_label", SkipReason.UNDEFINED)


def test_clusters_are_resampled_whole(metric_file):
    once = data(40)
    thrice = [Example.of(e.text, gold=e.gold, groups={"copy": str(k)}) for e in once for k in range(3)]
    path = metric_file("return {'a': sum(p == r for p, r in zip(predictions, references)) / len(references)}")
    single, repeated = (
        next(r for r in run(path, items, model()) if isinstance(r, Measurement)).estimate for items in (once, thrice)
    )
    assert (repeated.n, repeated.clusters) == (120, 40)
    assert repeated.high - repeated.low > 0.8 * (single.high - single.low)


def test_a_flawless_result_is_not_certain(metric_file):
    (first, *_) = [r for r in run(metric_file(ACCURACY), data(wrong=0), model()) if isinstance(r, Measurement)]
    assert first.estimate.value == 1.0
    assert 0.9 < first.estimate.low < 1.0


def test_label_sets_and_scores(metric_file):
    labels = ("a", "b")
    sets = [Example.of(f"{i}", gold=("a",) if i % 2 else ("a", "b")) for i in range(20)]
    answerer = FakeModel(rule=lambda text: (1.0, -1.0), card=model_card(labels=labels, problem=ProblemType.MULTI_LABEL))
    body = "return {'exact': sum(list(p) == list(r) for p, r in zip(predictions, references)) / len(references)}"
    path = metric_file(body, name="sets", column="[number]")
    found = next(r for r in run(path, sets, answerer) if isinstance(r, Measurement))
    assert found.estimate.value == 0.5
    scores = [Example.of(f"{i} |{i + i % 3}", gold=float(i)) for i in range(20)]
    scorer = FakeModel(rule=lambda text: (said(text),), card=model_card(labels=("s",), problem=ProblemType.REGRESSION))
    body = "return {'gap': sum(abs(p - r) for p, r in zip(predictions, references)) / len(references)}"
    path = metric_file(body, name="scores", kind="float64")
    assert next(r for r in run(path, scores, scorer) if isinstance(r, Measurement)).estimate.value == 0.95


def test_a_metric_that_fails_says_so(metric_file):
    with pytest.raises(UsageError, match="fails on these answers: KeyError"):
        run(metric_file("raise KeyError('nothing')", name="broken"), data(), model())


def test_a_metric_undefined_for_many_resamples_gives_no_number(metric_file):
    body = "return {'a': 1.0} if len(set(zip(predictions, references))) >= 4 else 1 / 0"
    items = [Example.of(f"{i} |1", gold="positive") for i in range(12)]
    items += [Example.of(f"{i} |-1", gold="negative") for i in range(12)]
    items += [Example.of("x |1", gold="negative"), Example.of("y |-1", gold="positive")]
    records = run(metric_file(body, name="often_undefined"), items, model())
    assert not [r for r in records if isinstance(r, Measurement)]
    assert "resamples" in next(r for r in records if isinstance(r, Skip)).detail


def test_nothing_loads_without_being_named(metric_file):
    from probes.performance.evaluate_metrics import load_metric

    with pytest.raises(UsageError) as error:
        load_metric(metric_file("open('/nonexistent')"), allow_code=False)
    assert "--metric" in error.value.hint


@pytest.mark.parametrize("failure", [FileNotFoundError("no module script"), ConnectionError("offline")])
def test_a_name_without_a_connection(monkeypatch, failure):
    from probes.performance import evaluate_metrics

    def load(*args, **kwargs):
        raise failure

    monkeypatch.setattr(evaluate_metrics.evaluate, "load", load)
    with pytest.raises(AuditError) as error:
        evaluate_metrics.load_metric("no_such_metric_here", allow_code=True)
    assert "no_such_metric_here" in error.value.message
    assert "path" in error.value.hint


def test_a_metric_that_does_not_import(tmp_path):
    from probes.performance.evaluate_metrics import load_metric

    path = tmp_path / "no_good.py"
    path.write_text("raise RuntimeError('on import')\n")
    with pytest.raises(UsageError, match="does not load"):
        load_metric(str(path), allow_code=True)
