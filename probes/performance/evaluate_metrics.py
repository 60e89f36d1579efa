"""Our metrics for users of `evaluate`, and the loading of metrics that users name. Imported on demand only.

    import evaluate
    from probes.performance.evaluate_metrics import MacroF1, MatthewsCorrelation
    evaluate.combine([MacroF1(), MatthewsCorrelation()]).compute(predictions=[0, 1, 1], references=[0, 1, 0])

Label metrics take label indices (label sets: rows of 0 and 1), and `sample_weight` in `compute`. What is undefined is
NaN, as in `metrics`. Metrics of texts take texts, and of each one a list of references; all are 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import evaluate
import numpy as np
from datasets import Features, Value
from numpy.typing import NDArray

from probes.core import metrics
from probes.core.answered import exact_of, f1_of
from probes.core.confidence import Bins, Decisions, equal_width
from probes.core.errors import UsageError
from probes.performance import regression, text_metrics

Function = Callable[..., metrics.Floats]
TextFunction = Callable[..., Iterable[float]]
"""n texts and the references of each -> the numbers of a metric."""


def load_metric(source: str, *, allow_code: bool) -> Any:
    """An `evaluate.Metric` from a local file or folder, or from the Hub by name.

    Loading runs the metric's own code, so it must have been asked for.

    Args:
        source: path of a .py file or of its folder; otherwise the name of a metric on the Hub.
        allow_code: whether the user named this metric.

    Raises:
        UsageError: without `allow_code`, when there is no such metric (or no network to fetch it), or its code fails.
    """
    if not allow_code:
        raise UsageError(f"metric {source} is code and would run here", hint=f"if you trust it: --metric {source}")
    local = Path(source).exists()
    try:
        return evaluate.load(str(Path(source)) if local else source, keep_in_memory=True)
    except (FileNotFoundError, ConnectionError) as error:
        raise UsageError(
            f"no metric {source}: not a file or folder here, and not to be had from the Hub",
            hint="pass the path of a metric's .py file or folder; a name alone needs a connection to the Hub",
        ) from error
    except Exception as error:  # a stranger's code may fail in any way
        raise UsageError(
            f"metric {source} does not load: {type(error).__name__}: {' '.join(str(error).split())}",
            hint="it must be a module of the evaluate library, with one import a line and its dependencies installed",
        ) from error


class _Metric(evaluate.Metric):  # type: ignore[misc]  # evaluate is not typed
    key: ClassVar[str]
    about: ClassVar[str]
    citation_text: ClassVar[str] = ""
    value: ClassVar[str] = "int32"
    several: ClassVar[bool] = False

    def _info(self) -> Any:
        one = Value(self.value)
        return evaluate.MetricInfo(
            description=self.about,
            citation=self.citation_text,
            inputs_description="predictions and references of equal length; sample_weight, optional",
            features=Features({"predictions": self._prediction(one), "references": [one] if self.several else one}),
        )

    def _prediction(self, one: Any) -> Any:
        return [one] if self.several else one

    def _result(self, value: metrics.Floats) -> dict[str, float]:
        return {self.key: float(value[0])}


class _LabelMetric(_Metric):
    function: ClassVar[Function]

    def _compute(
        self, predictions: Sequence[int], references: Sequence[int], sample_weight: Sequence[float] | None = None
    ) -> dict[str, float]:
        columns = [np.asarray(column, dtype=np.int64) for column in (predictions, references)]
        if not self.several:
            labels = int(max(column.max() for column in columns)) + 1
            columns = [metrics.one_hot(column, labels=labels).astype(np.int64) for column in columns]
        predicted, gold = (column.astype(bool) for column in columns)
        return self._result(type(self).function(predicted, gold, _row(sample_weight)))


class _ScoreMetric(_Metric):
    function: ClassVar[Function]
    value = "float64"

    def _compute(
        self, predictions: Sequence[float], references: Sequence[float], sample_weight: Sequence[float] | None = None
    ) -> dict[str, float]:
        function = type(self).function
        return self._result(
            function(np.asarray(predictions, float), np.asarray(references, float), _row(sample_weight))
        )


class Accuracy(_LabelMetric):
    """Share of right answers."""

    key, about = "accuracy", "Share of right answers."
    function = staticmethod(metrics.accuracy)


class BalancedAccuracy(_LabelMetric):
    """Mean recall of the labels that occur."""

    key, about = "balanced_accuracy", "Mean recall of the labels that occur in the references."
    function = staticmethod(metrics.balanced_accuracy)


class MacroF1(_LabelMetric):
    """Mean F1 of the labels that occur."""

    key, about = "macro_f1", "Mean F1 of the labels that occur in references or predictions."
    function = staticmethod(metrics.macro_f1)


class MatthewsCorrelation(_LabelMetric):
    """MCC for any number of labels."""

    key, about = "mcc", "Matthews correlation for any number of labels; NaN when one side is constant."
    citation_text = "Gorodkin 2004, Computational Biology and Chemistry 28:367"
    function = staticmethod(metrics.mcc)


class ExactMatch(_LabelMetric):
    """Share of items with exactly the right set of labels."""

    key, about, several = "exact_match", "Share of items with exactly the right set of labels (rows of 0 and 1).", True
    function = staticmethod(metrics.accuracy)


class HammingLoss(_LabelMetric):
    """Share of wrong label decisions."""

    key, about, several = "hamming_loss", "Share of label decisions that are wrong (rows of 0 and 1).", True
    function = staticmethod(metrics.hamming_loss)


class MicroF1(_LabelMetric):
    """F1 of all label decisions pooled."""

    key, about, several = "micro_f1", "F1 of all label decisions pooled (rows of 0 and 1).", True
    function = staticmethod(metrics.micro_f1)


class MultiLabelMacroF1(_LabelMetric):
    """Mean F1 of the labels that occur, for label sets."""

    key, about, several = "macro_f1", "Mean F1 of the labels that occur (rows of 0 and 1).", True
    function = staticmethod(metrics.macro_f1)


class MeanAbsoluteError(_ScoreMetric):
    """Mean absolute error."""

    key, about = "mae", "Mean absolute error."
    function = staticmethod(regression.mae)


class RootMeanSquaredError(_ScoreMetric):
    """Root mean squared error."""

    key, about = "rmse", "Root mean squared error."
    function = staticmethod(regression.rmse)


class SpearmanCorrelation(_ScoreMetric):
    """Rank correlation."""

    key, about = "spearman", "Spearman rank correlation; ties share their mean rank."
    function = staticmethod(regression.spearman)


class PearsonCorrelation(_ScoreMetric):
    """Linear correlation."""

    key, about = "pearson", "Pearson correlation."
    function = staticmethod(regression.pearson)


class CalibrationError(_Metric):
    """ECE over 15 bins of equal width."""

    key, about = "ece", "Expected calibration error over 15 bins of equal width; predictions are rows of probabilities."
    citation_text = "Guo et al. 2017, ICML"

    def _prediction(self, one: Any) -> Any:
        return [Value("float64")]

    def _compute(
        self,
        predictions: Sequence[Sequence[float]],
        references: Sequence[int],
        sample_weight: Sequence[float] | None = None,
    ) -> dict[str, float]:
        n = len(references)
        decisions = Decisions(np.asarray(predictions, float), np.asarray(references, int), [str(i) for i in range(n)])
        bins = Bins.of(decisions, equal_width(15), items=n)
        return self._result(bins.calibration_error(metrics.unit_weights(n, _row(sample_weight))))


class _TextMetric(_Metric):
    function: ClassVar[TextFunction]
    keys: ClassVar[tuple[str, ...]]
    value, several = "string", True

    def _prediction(self, one: Any) -> Any:
        return one

    def _compute(self, predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
        found = type(self).function(predictions, references)
        return dict(zip(self.keys, map(float, found), strict=True))


class TextExactMatch(_TextMetric):
    """Share of texts that equal a reference after SQuAD's normalisation."""

    keys, about = ("exact_match",), "Share of texts that equal a reference, as in the SQuAD evaluation."
    citation_text = "Rajpurkar et al. 2016, EMNLP"
    function = staticmethod(lambda texts, references: [exact_of(texts, references).mean()])


class TextF1(_TextMetric):
    """Mean F1 of the words shared with the best reference."""

    keys, about = ("f1",), "Mean F1 of the words shared with the best reference, as in the SQuAD evaluation."
    citation_text = "Rajpurkar et al. 2016, EMNLP"
    function = staticmethod(lambda texts, references: [f1_of(texts, references).mean()])


class Rouge(_TextMetric):
    """Mean ROUGE-1, ROUGE-2 and ROUGE-L, as rouge-score computes them."""

    keys, about = ("rouge_1", "rouge_2", "rouge_l"), "Mean F-measures of rouge-score, without stemming."
    citation_text = "Lin 2004, ACL workshop"
    function = staticmethod(lambda texts, references: text_metrics.rouge_f(texts, references).mean(axis=0))


class Bleu(_TextMetric):
    """Corpus BLEU, as sacrebleu computes it."""

    keys, about = ("bleu",), "Corpus BLEU of sacrebleu, 0 to 1."
    citation_text = "Post 2018, WMT"
    function = staticmethod(lambda texts, references: [text_metrics.corpus_bleu(texts, references)])


class ChrF(_TextMetric):
    """Corpus chrF, as sacrebleu computes it."""

    keys, about = ("chrf",), "Corpus chrF of sacrebleu, 0 to 1."
    citation_text = "Popovic 2015, WMT"
    function = staticmethod(lambda texts, references: [text_metrics.corpus_chrf(texts, references)])


def _row(sample_weight: Sequence[float] | None) -> NDArray[np.float64] | None:
    return None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)[None, :]
