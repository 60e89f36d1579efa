"""What the author of a probe needs: everything else in this package is machinery."""

from probes.core.answers import (
    LANGUAGE_HEADS,
    SEQUENCE_HEADS,
    Classifications,
    ProblemType,
    changed,
    correct,
    gold_matrix,
)
from probes.core.examples import Accepted, Example, Gold, Text
from probes.core.likelihoods import Likelihoods, Scoring
from probes.core.model import Capability, Classifier, Model, ModelCard, Reader, Scorer, Tagger
from probes.core.probe import Context, Probe, ProbeDoc, ProbeInfo
from probes.core.readings import Answers, question_and_context
from probes.core.records import (
    Accounting,
    Better,
    Curve,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Point,
    Record,
    Shown,
    Skip,
    SkipReason,
    Unit,
    WordList,
)
from probes.core.taggings import Taggings, tagged_words

__all__ = [
    "LANGUAGE_HEADS",
    "SEQUENCE_HEADS",
    "Accepted",
    "Accounting",
    "Answers",
    "Better",
    "Capability",
    "Classifications",
    "Classifier",
    "Context",
    "Curve",
    "Estimate",
    "Evidence",
    "Example",
    "Gold",
    "Likelihoods",
    "Measurement",
    "Model",
    "ModelCard",
    "Outcomes",
    "Point",
    "Probe",
    "ProbeDoc",
    "ProbeInfo",
    "ProblemType",
    "Reader",
    "Record",
    "Scorer",
    "Scoring",
    "Shown",
    "Skip",
    "SkipReason",
    "Tagger",
    "Taggings",
    "Text",
    "Unit",
    "WordList",
    "changed",
    "correct",
    "gold_matrix",
    "question_and_context",
    "tagged_words",
]
