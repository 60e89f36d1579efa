"""The report's own words: one place, so that a reviewer of the wording, and a test, can read all of it.

The vocabulary is that of evidence. A status says what a check showed, never that a model may be relied on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from probes.core.findings import Burden, Finding, Level, Status
from probes.core.records import SkipReason
from reports.views import Badge, Fact

ASSURANCE = "First-party automated test evidence. Not independently reproduced. Not legal advice."

BADGES: Mapping[Status, Badge] = {
    Status.PASS: Badge("Pass", "pass"),
    Status.FAIL: Badge("Fail", "fail"),
    Status.INCONCLUSIVE: Badge("Inconclusive", "open"),
    Status.NOT_RUN: Badge("Not run", "notrun"),
    Status.ERROR: Badge("Error", "error"),
    Status.NOT_APPLICABLE: Badge("Not applicable", "na"),
    Status.WAIVED: Badge("Waived", "waived"),
}

MEANINGS: Mapping[Status, str] = {
    Status.PASS: "Prove good: the data show a value within the threshold. Prove bad: the data do not show a value "
    "beyond it, which is weaker.",
    Status.FAIL: "The data show a value beyond the threshold.",
    Status.INCONCLUSIVE: "The data do not show on which side of the threshold the value lies. A person has to decide.",
    Status.NOT_RUN: "Nothing was measured. The reason is given. This is not a pass.",
    Status.ERROR: "The test itself broke, or its result could not be judged. This is not a pass.",
    Status.NOT_APPLICABLE: "The test makes no sense for this kind of model.",
    Status.WAIVED: "The check did not pass and somebody accepted that in writing.",
}

NOT_JUDGED = Badge("Not judged", "none")
VERDICTS: Mapping[int, Badge] = {
    0: Badge("Gate passed", "pass"),
    1: Badge("Blocked", "fail"),
    2: Badge("Not judged: usage error", "error"),
    3: Badge("Undecided", "open"),
    4: Badge("Incomplete", "error"),
    5: Badge("Integrity failure", "error"),
    130: Badge("Interrupted", "notrun"),
}

LEVELS: Mapping[Level, str] = {
    Level.BLOCK: "Blocking",
    Level.WARN: "Warning",
    Level.INFO: "For information",
    Level.OFF: "Switched off",
}
CONSEQUENCES: Mapping[Level, str] = {
    Level.BLOCK: "While it stands, the gate does not pass.",
    Level.WARN: "It does not stop the gate; the policy asks for attention.",
    Level.INFO: "It does not influence the gate.",
    Level.OFF: "The policy has switched this check off.",
}

REASONS: Mapping[SkipReason, str] = {
    SkipReason.NO_GOLD: "No right answers in the data",
    SkipReason.NO_GROUPS: "No group columns in the data",
    SkipReason.NO_DOMAINS: "No data of another kind",
    SkipReason.NO_TEXTS: "Texts it is about were not named",
    SkipReason.NO_CAPABILITY: "The model cannot be asked this",
    SkipReason.NOT_BY_ENGINE: "Cannot be asked through this engine",
    SkipReason.WRONG_PROBLEM: "Does not apply to this kind of model",
    SkipReason.WRONG_PROFILE: "Not meant for what this model looks for",
    SkipReason.NO_POSITIVE_CLASS: "No positive class is known",
    SkipReason.TOO_FEW: "Too few items",
    SkipReason.NOTHING_PERTURBED: "No changed text to compare",
    SkipReason.UNDEFINED: "Not defined on these data",
    SkipReason.NO_RESOURCE: "Something that it needs is not there",
    SkipReason.NOT_SELECTED: "Not selected for this run",
    SkipReason.PLUGIN_BROKEN: "The plug-in did not load",
}

NOT_EVIDENCED = (
    ("Intended purpose and risk class", "A decision about use, not a property of the model", "Product owner, counsel"),
    ("Impact on people's rights", "Needs knowledge of the people affected", "Impact assessment owner"),
    ("Human oversight in practice", "Happens around the model, not in it", "Process owner"),
    ("Rights and consent for the training data", "Not visible in the weights", "Data owner, counsel"),
    ("Logging and monitoring in operation", "Nothing is in operation during an audit", "Operations"),
    ("Incident handling", "An organisational duty", "Operations"),
    ("Security of the surrounding system", "Only the model was given inputs", "Security team"),
    ("Whether a disparity is unlawful", "A legal question", "Counsel"),
    (
        "Whether the remaining risk is acceptable",
        "A judgement that needs a responsible person",
        "Approver of the release",
    ),
    ("Inputs unlike the audit data", "Every number holds for items like those tested", "Data owner"),
)

VOID_WHEN = (
    "the weights, the tokenizer or the label names change (the model fingerprint differs)",
    "texts are prepared differently before they reach the model (templates, truncation, cleaning, translation)",
    "the model meets other people, languages, topics or lengths of text than the audit data hold",
    "the answers are put to another use, or are acted on at another threshold",
)

READING = (
    Fact("The dot", "is what was measured on the audit data. Its shape and colour are those of the status."),
    Fact(
        "The bar",
        "is the interval, 95% unless said otherwise: were the audit repeated many times on fresh data of the same "
        "kind, about 95 of 100 such bars would hold the value that applies to that kind of data.",
    ),
    Fact("The upright line", "is the threshold of the policy; the hatched side is the side it does not accept."),
    Fact(
        "The status",
        "follows from a bound of the interval, not from the dot. Where the policy asks for proof, a dot on the "
        "accepted side whose bar crosses the line is inconclusive.",
    ),
    Fact(
        "The bound that decides",
        "is one-sided, so it is not an end of the bar shown; where a policy makes several checks of one family, it may "
        "be stricter.",
    ),
)

AIDS: Mapping[str, Fact] = {
    "comprehensiveness": Fact(
        "Comprehensiveness",
        "How far the answer falls when the words that count most are taken out: high is good, because the answer hangs "
        "on these words; 0 or below is bad, because it does not need them.",
    ),
    "sufficiency": Fact(
        "Sufficiency",
        "How far the answer falls when only the words that count most are kept: 0 or below is good, because these "
        "words alone carry the answer (below 0, the model is even surer without the rest of the text); high is bad.",
    ),
    "infidelity": Fact(
        "Infidelity",
        "How far the scores of the words miss what taking words out does to the answer: 0 is the best value, and at 1 "
        "the scores tell no more than if every word had a score of 0.",
    ),
}
"""Name of a measurement -> how to read its values; printed in the chapters that have it, and in the glossary."""

VERIFYING = (
    Fact("Files", "Each file of the run folder has the SHA-256 that bundle.json records; none is missing, none added."),
    Fact("Verdict", "Judging the stored results by the stored policy and waivers again gives the same findings."),
    Fact("Report", "This page is rendered again from the stored results, and every byte is the same."),
    Fact("Ledger", "The attempts recorded with the run are those of the ledger beside it, where that is at hand."),
    Fact("Signatures", "With --key, a signature over the bundle was made with the private half of that key."),
    Fact(
        "What that shows",
        "Which bytes, and with a key by whom and over which bundle. Not that the tests were the right ones, "
        "nor that the machine they ran on told the truth.",
    ),
)
"""What `audit verify` does, one line each."""

FORMAT = (
    Fact(
        "4",
        "Audit card, groups at a glance, explanations at a glance, measurement quality, change since a baseline, "
        "waivers, attempts, review and sign-off; severity, margins and places of records; search, filters and views.",
    ),
    Fact("3", "Lists of words and names, shaded words, curves of several lines, masking of offensive words."),
    Fact("2", "Not run told by probe, number and check; group tables."),
    Fact("1", "Decision page, results, findings register, chapters, policy, limitations, reproducibility, integrity."),
)
"""Versions of this report, the latest first."""

_TERMS = (
    Fact("Accuracy", "Share of items whose answer equals the right answer in the data."),
    Fact("Accuracy drop", "Accuracy on the unchanged texts minus accuracy on the changed ones, for the same items."),
    Fact(
        "Attribution",
        "How far each word of a text pushed the score of an answer, worked out from the model; not a cause.",
    ),
    Fact("Balanced accuracy", "Mean over the classes of the share of each class that was recognised."),
    Fact(
        "Burden of proof",
        "Prove good: the check passes only when the data show a value within the threshold. Prove bad: it fails only "
        "when the data show a value beyond it.",
    ),
    Fact("Calibration", "Of the answers given with 80% confidence, about 80 in 100 should be right."),
    Fact("Cluster", "Items that are not independent, such as changed versions of one text; they count as one."),
    Fact("Confidence", "The probability the model gives its own answer. It need not be justified."),
    Fact(
        "Demographic parity", "Whether groups get the positive answer at the same rate, whatever the right answers are."
    ),
    Fact("Equal opportunity", "Whether groups have the same true positive rate."),
    Fact("Equalized odds", "Whether groups have the same true positive rate and the same false positive rate."),
    Fact("Estimate", "A number computed from a sample of items; it would differ on another sample."),
    Fact("False positive rate", "Of the items that are not of the positive class, the share answered as if they were."),
    Fact("Fingerprint", "SHA-256 of content: two things with the same fingerprint are the same."),
    Fact("Flip rate", "Share of items whose answer changed when the text was changed; needs no right answers."),
    Fact("F1", "Harmonic mean of precision and recall; macro F1 is its mean over the classes."),
    Fact(
        "Impact ratio",
        "The lowest rate of favourable answers of any group, divided by the highest; 1 where all are alike.",
    ),
    Fact("MCC", "Matthews correlation coefficient: 1 for perfect answers, 0 for answers unrelated to the right ones."),
    Fact("Percentage point (pp)", "Difference of two percentages: from 90% to 87% is 3 percentage points."),
    Fact("Positive class", "The answer that is counted, such as “toxic” or “accepted”; not always a good one."),
    Fact("Precision", "Of the items given a label, the share that have it."),
    Fact("Recall", "Of the items that have a label, the share that were given it."),
    Fact("Selection rate", "The share of a group's items that get the positive answer."),
    Fact("Severity", "How strongly a text was changed, from 1 (slight) to 5 (strong)."),
    Fact(
        "True positive rate",
        "Of the items that are of the positive class, the share answered so; the recall of that class.",
    ),
)

GLOSSARY = tuple(sorted((*_TERMS, *AIDS.values()), key=lambda term: term.name.lower()))

RISKS: Mapping[str, str] = {
    "performance": "Performance",
    "robustness": "Robustness",
    "shift": "Domain shift",
    "bias": "Bias",
    "toxicity": "Toxicity",
    "explanation": "Explanation",
    "privacy": "Privacy",
    "security": "Security",
}

CAUTIONS: Mapping[str, str] = {
    "explanation": "Not causal, and not a reason that may be given to a person: an attribution describes what this "
    "model computes from this text.",
}
"""Printed with every chapter of a risk."""


def outcome(finding: Finding) -> Badge:
    """The status of one check; a pass that rests on nothing having been shown says so."""
    badge = BADGES[finding.status]
    weak = finding.status is Status.PASS and finding.burden is Burden.PROVE_BAD
    return replace(badge, word="Pass: no violation shown") if weak else badge


def risk_title(risk: str) -> str:
    """A risk as a heading; names of plug-ins' own risks are used as they are."""
    return RISKS.get(risk, risk.replace("_", " ").capitalize())
