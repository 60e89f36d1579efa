"""The probe that compares answers with golds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.labelled import Labelled, accounting, cases, no_gold, outcomes
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Measurement, Outcomes, Record, Skip
from probes.core.stats.derived import FEW
from probes.performance import slices
from probes.performance.label_quality import Resampling, multi_label, single_label
from probes.performance.score_quality import regression_quality


@dataclass(frozen=True)
class Quality:
    """How often is the model right, on which labels and groups is it weak, and is it better than guessing?

    Measures:
        Single-label: accuracy, balanced accuracy (mean recall of the labels), macro F1 (mean F1 of the labels),
        Matthews correlation (MCC), precision, recall and F1 of each label, the confusion matrix up to 10 labels, and
        accuracy compared with always answering the commonest label. Label sets: exact match, micro and macro F1, and
        precision, recall and F1 of each label. Scores: mean absolute error, RMSE, Spearman and Pearson correlation,
        and the RMSE of always answering the mean. For each value of each group column: accuracy (or exact match) and
        macro F1, or the mean absolute error.

    Why it matters:
        One figure for all items hides a label or a group on which the model fails, and says little where one label is
        common: then always answering that label looks good as well. These numbers are evidence relevant to declared
        accuracy metrics.

    Method:
        Every labelled item is asked once. Rates have Wilson intervals; F1 of a label is an increasing function of a
        rate and has its interval; balanced accuracy combines those of the recalls (MOVER); the gain over the commonest
        label has Tango's score interval for pairs; the other numbers a cluster bootstrap with 2000 resamples (BCa).
        Items of one cluster (the same text, unless told otherwise) count as dependent throughout. Where no error at all
        was seen, macro F1 and MCC are bounded as if the errors that could have been missed had all fallen on the rarest
        labels. Ranks are taken anew in each resample. Averages run over the labels that occur; precision of a label
        never answered, recall of a label without items, and F1 of a label with neither are undefined and shown as not
        measured; F1 of a label that occurs but is never right is 0.

    Limits:
        Golds are taken to be true. The intervals are about items like these, not about another domain, and not about
        retraining. Macro F1 of two groups is not comparable where other labels occur in them. With fewer than 10
        independent items no resampled number, and no number of a group, is given. The commonest label is read off the
        same items, which makes the baseline slightly too good.

    References:
        Gorodkin 2004, Computational Biology and Chemistry 28:367 (MCC for several labels). Brodersen et al. 2010, ICPR
        (balanced accuracy). Opitz and Burst 2019, arXiv:1911.03347 (the two macro F1; this is the mean of F1s). Wilson
        1927, JASA 22:209. Zou and Donner 2008, Statistics in Medicine 27:1693 (MOVER). Tango 1998, Statistics in
        Medicine 17:891. Efron 1987, JASA 82:171 (BCa).
    """

    resamples: int = 2000
    minimum: int = FEW
    """Independent items a group must have."""

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.quality",
            version=1,
            risk="performance",
            title="Quality of the answers",
            doc=ProbeDoc.parse(type(self).__doc__),
            gold=True,
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements for the whole, for labels and for groups, then cases and outcomes."""
        items = Labelled.ask(model, data)
        yield accounting(items)
        if not len(items):
            yield no_gold()
            return
        yield from self._measurements(items, Resampling(generator=ctx.generator, resamples=self.resamples))
        yield from cases(items, ctx, note=lambda row: _note(items, row))
        yield outcomes(items)

    def _measurements(self, items: Labelled, resampling: Resampling) -> Iterator[Measurement | Skip]:
        if items.problem is ProblemType.REGRESSION:
            yield from regression_quality(items, resampling)
        else:
            whole = single_label if items.problem is ProblemType.SINGLE_LABEL else multi_label
            yield from whole(items, resampling)
            yield from slices.by_label(items, family=f"{self.info.id}.labels")
        if items.problem is ProblemType.SINGLE_LABEL:
            yield from slices.confusion(items, family=f"{self.info.id}.confusion")
        yield from slices.by_group(items, resampling, minimum=self.minimum, family=f"{self.info.id}.groups")


def _note(items: Labelled, row: int) -> str:
    if items.problem is ProblemType.REGRESSION:
        return f"off by {items.badness[row]:.3g}"
    return "right" if items.correct[row] else "wrong"
