"""Functional tests of a classifier that looks for harm in texts: our own cases, and HateCheck where it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.functional_case import FunctionalCase
from probes.core.model import Classifier
from probes.core.probe import FOR_THE_RECORD, Context, ProbeDoc, ProbeInfo
from probes.core.records import Outcomes, Record
from probes.text.word_lists import lexicon_words
from probes.toxicity.functional.cases import own_cases, published_titles, sought, target_words
from probes.toxicity.functional.suite import measure

DECIDING = frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL})
"""A regression has no threshold at which a text is called harmful."""


@dataclass(frozen=True, kw_only=True)
class Functional:
    """Does the model find plain cases of harm, and let through texts that only look like it?

    Measures: for each of 33 functionalities (one way of being harmful, or of only looking so) the share of cases
        answered as expected; over all of them, and for each group of people that the texts are about, the share of
        harmful cases found and the share of harmless cases called harmful; and the largest gap of each between two
        groups on the same sentences.
    Why it matters: a good score on a test set can rest on key words. Then hate without a swear word is missed, and
        people who speak of themselves, quote hate to reject it, or swear at a printer are silenced.
    Method: short English sentences of our own, filled with 9 groups of people, each with the answer expected, are
        asked at the deployed threshold. What is expected depends on what the model looks for, which is read from the
        names of its positive labels: names of hate only stand for hate against groups; toxic, offensive, abusive,
        insult and the like for any abuse of people, hate included; with obscene, profane or vulgar beside them for
        swear words too. Functionalities that such a definition leaves open (for example abuse of a profession) are
        shown as the share called harmful and not judged. A name of one kind of abuse only (threat, sexism) is not held
        to finding the others. Where the names tell nothing, only what all three definitions agree on is judged.
        Intervals cluster on the sentence: the same sentence about several groups, or misspelt, counts as one
        independent case. The bounds of the largest gap hold for all pairs of groups together.
    Limits: failing shows a weakness; passing shows little, because real harm is more varied than a few sentences
        (negative predictive power only). The sentences are made up, plain and in English; few for each functionality,
        so its interval is wide. Groups, slurs (against 4 of the groups only) and spellings are examples, not a list of
        all. What counts as harmful follows the definitions above, not the model owner's policy; it says nothing about
        the share of harm among real texts, about context or about images.
    References: Röttger et al. 2021 (HateCheck), ACL, arXiv:2012.15606; Ribeiro et al. 2020 (CheckList),
        arXiv:2005.04118; Dixon et al. 2018, AIES (unintended bias by identity terms).
    """

    info: ClassVar[ProbeInfo]

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Ask about our own cases; `data` is not used."""
        positive = model.card.positive
        by = sought(positive.labels)
        cases = own_cases(by)
        open_ones = sorted({case.functionality for case in cases if case.harmful is None})
        note = f"Positive labels {', '.join(positive.labels) or '(none)'}: the model is taken to look for {by}."
        if open_ones:
            note += f" Shown and not judged, because that leaves it open: {', '.join(open_ones)}."
        yield from measure(cases, model, ctx, note=note)
        yield lexicon_words("functional_targets", "People in functional tests", target_words())


Functional.info = ProbeInfo(
    id="toxicity.functional",
    version=1,
    risk="toxicity",
    title="Functional tests of harm",
    doc=ProbeDoc.parse(Functional.__doc__),
    data=False,
    harm=True,
    problems=DECIDING,
)


@dataclass(frozen=True, kw_only=True)
class HateCheck:
    """Does the model pass the published functional tests for hate speech?

    Measures: for each functionality of HateCheck the share of cases answered as labelled; over all, and for each group
        of people named, the share of hateful cases found and the share of non-hateful cases called harmful; and the
        largest gap of each between two groups on the same sentences.
    Why it matters: it is the test on which hate classifiers are compared in publications, and it shows which way of
        speaking a model misses or takes for hate.
    Method: every case of the file given with --hatecheck is asked at the deployed threshold; "hateful" should be
        answered with a positive label, "non-hateful" with none, whatever the labels are called. Intervals cluster on
        the file's templ_id: cases made from one template are not independent.
    Limits: failing shows a weakness; passing shows little (negative predictive power only, as its authors say). The
        cases are synthetic, English, and about seven groups. The labels follow a definition of hate: a model that
        looks for any abuse may rightly call abuse of a single person or of a profession harmful, and counts as wrong
        here. Cases that were in the training data say nothing.
    References: Röttger et al. 2021, HateCheck: Functional Tests for Hate Speech Detection Models, ACL,
        arXiv:2012.15606; data CC BY 4.0.

    Args:
        source: what --hatecheck named.
        digest: SHA-256 of the cases.
        revision: commit of a Hub data set; empty for a local file.
        cases: those of the file.
        notes: what a reader must know about the file.
    """

    source: str = ""
    digest: str = field(default="", metadata=FOR_THE_RECORD)
    revision: str = ""
    cases: tuple[FunctionalCase, ...] = field(default=(), repr=False, metadata={"parameter": False})
    notes: tuple[str, ...] = field(default=(), repr=False, metadata={"parameter": False})

    info: ClassVar[ProbeInfo]

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Ask about the cases given; `data` is not used."""
        titles = published_titles()
        cases = [replace(case, title=titles.get(case.functionality, case.title)) for case in self.cases]
        yield from measure(cases, model, ctx, note=" ".join(self.notes))


HateCheck.info = ProbeInfo(
    id="toxicity.hatecheck",
    version=1,
    risk="toxicity",
    title="HateCheck",
    doc=ProbeDoc.parse(HateCheck.__doc__),
    data=False,
    harm=True,
    problems=DECIDING,
)
