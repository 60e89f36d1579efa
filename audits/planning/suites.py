"""Named selections of probes. A suite says which probes, how many items each gets, and with which parameters."""

from __future__ import annotations

from collections.abc import Mapping

from audits.config import SuiteEntry
from probes.core.errors import UsageError, did_you_mean

BUILT_IN: Mapping[str, tuple[SuiteEntry, ...]] = {
    # A first look, and pull requests: clean performance, every perturbation at one everyday severity, and the treatment
    # of groups on the audit's own data.
    "quick": (
        # A generation costs ten to a hundred classifications.
        SuiteEntry(probes="performance.generation", items=100),
        SuiteEntry(probes="performance.*", items=1000),
        SuiteEntry(probes="robustness.prompts", items=30),
        SuiteEntry(probes="robustness.format", leave_out=True),
        SuiteEntry(probes="robustness.few_shot_order", leave_out=True),
        # A search asks about some dozens of texts an item.
        SuiteEntry(probes="robustness.adversarial", leave_out=True),
        SuiteEntry(probes="robustness.adversarial_prompts", leave_out=True),
        SuiteEntry(probes="robustness.*", items=200, parameters={"severities": (2,)}),
        SuiteEntry(probes="shift.performance", items=400),
        SuiteEntry(probes="bias.groups"),
        SuiteEntry(probes="bias.counterfactual", items=400),
        SuiteEntry(probes="bias.identity_terms", items=1000),
        SuiteEntry(probes="toxicity.functional"),
        SuiteEntry(probes="toxicity.hatecheck"),
    ),
    # A release: all labelled items for performance; 400 items at five severities for each perturbation, enough to
    # show a loss of 3 points where one answer in twenty changes (paired, one-sided, alpha 0.05, power 0.8: 344 items).
    "full": (
        SuiteEntry(probes="performance.generation", items=400),
        SuiteEntry(probes="performance.*"),
        SuiteEntry(probes="robustness.prompts", items=60),
        SuiteEntry(probes="robustness.format", items=30),
        SuiteEntry(probes="robustness.few_shot_order", items=30),
        # A search asks about some dozens of texts an item; 100 items tell its success to 10 points.
        SuiteEntry(probes="robustness.adversarial", items=100),
        SuiteEntry(probes="robustness.adversarial_prompts", items=10),
        SuiteEntry(probes="robustness.*", items=400),
        # Comparisons of groups rest on few items of each group, and few texts mention one: all items, or many.
        SuiteEntry(probes="bias.counterfactual", items=2000),
        SuiteEntry(probes="bias.*"),
        # Of each kind of text as many. A register makes long texts at every severity, so three of five.
        SuiteEntry(probes="shift.overlap"),
        SuiteEntry(probes="shift.performance", items=1000),
        SuiteEntry(probes="shift.synthetic", items=100, parameters={"severities": (1, 3, 5)}),
        # An attribution costs some sixty classifications.
        SuiteEntry(probes="explanation.faithfulness", items=100),
        SuiteEntry(probes="explanation.*", items=200),
        SuiteEntry(probes="*", items=400),
    ),
    # Why the model answers as it does: examples, whether the explanations hold, and what the model leans on.
    "explanation": (SuiteEntry(probes="explanation.*", items=400),),
}


def find_suite(name: str, own: Mapping[str, tuple[SuiteEntry, ...]]) -> tuple[SuiteEntry, ...]:
    """The suite of this name; the user's own ones may replace built-in ones.

    Raises:
        UsageError: with the closest names.
    """
    suites = {**BUILT_IN, **own}
    if name not in suites:
        raise UsageError(f"no suite called {name!r}", hint=did_you_mean(name, suites))
    return suites[name]
