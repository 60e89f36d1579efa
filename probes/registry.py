"""Which probes exist: the built-in ones, those of installed plug-ins, and those of a plug-in file.

A built-in probe is one line in BUILT_IN. An installed plug-in names its probes in the entry-point group
`audit.probes`; both go through the same `Registry.add`. A plug-in that cannot be imported is kept as a broken one with
its reason: it is shown by `audit probes` and as a row of the report, and it never stops an audit of the other probes.
"""

from __future__ import annotations

import fnmatch
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

from probes.core.errors import UsageError, did_you_mean
from probes.core.probe import Probe, ProbeInfo

BUILT_IN = (
    "probes.performance.quality:Quality",
    "probes.performance.calibration:Calibration",
    "probes.performance.ranking:Ranking",
    "probes.performance.tagging:Tagging",
    "probes.performance.answers:AnswerQuality",
    "probes.performance.likelihood:Likelihood",
    "probes.performance.generation:GenerationQuality",
    "probes.robustness.perturbed:PROBES",
    "probes.robustness.worst_case:WorstCase",
    "probes.robustness.adversarial.probe:Adversarial",
    "probes.robustness.distractors:Distractors",
    "probes.robustness.prompts:Prompts",
    "probes.robustness.adversarial.prompts:AdversarialPrompts",
    "probes.robustness.format:Format",
    "probes.robustness.few_shot_order:FewShotOrder",
    "probes.shift.performance.probe:Performance",
    "probes.shift.overlap.probe:Overlap",
    "probes.shift.distance.probe:Distance",
    "probes.shift.ood.probe:OutOfDistribution",
    "probes.shift.estimate.probe:Estimation",
    "probes.shift.selective.probe:Selective",
    "probes.shift.synthetic.probe:Synthetic",
    "probes.shift.slices.probe:NaturalSlices",
    "probes.shift.perplexity:Perplexity",
    "probes.bias.groups.probe:Groups",
    "probes.bias.counterfactual.probe:Counterfactual",
    "probes.bias.templates.probe:Templates",
    "probes.bias.identity_terms.probe:IdentityTerms",
    "probes.bias.slices.probe:Slices",
    "probes.bias.entity_swap.probe:EntitySwap",
    "probes.bias.embedding.probe:Embedding",
    "probes.bias.likelihood.probe:GroupLikelihood",
    "probes.bias.fill_in.probe:FillIn",
    "probes.bias.prompted.probe:Prompted",
    "probes.toxicity.functional.probe:Functional",
    "probes.toxicity.evasion.probe:Evasion",
    "probes.toxicity.sensitivity.probe:Sensitivity",
    "probes.toxicity.generations.probe:Generations",
    "probes.privacy.memorisation:Memorisation",
    "probes.privacy.membership:Membership",
    "probes.privacy.exposure:Exposure",
    "probes.security.injection:Injection",
    "probes.security.own_documents:OwnDocuments",
    "probes.security.refusals:Refusals",
    "probes.explanation.examples.probe:Examples",
    "probes.explanation.faithfulness.probe:Faithfulness",
    "probes.explanation.reliance.probe:Reliance",
    "probes.explanation.shortcuts.probe:Shortcuts",
    "probes.explanation.top_words.probe:TopWords",
    "probes.explanation.generation.probe:Generation",
    "probes.explanation.spans.probe:Spans",
)
"""`module:attribute`, where the attribute is a probe class, a probe, or a tuple of probes."""

GROUP = "audit.probes"


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that could not be imported."""

    name: str
    reason: str


@dataclass(slots=True)
class Registry:
    """Probes by id, in the order they were added."""

    probes: dict[str, Probe] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def add(self, probe: Probe, *, origin: str) -> None:
        """Register one probe.

        Raises:
            UsageError: when another probe has this id.
        """
        name = probe.info.id
        if name in self.probes:
            raise UsageError(
                f"two probes are called {name}: one from {self.origins[name]}, one from {origin}",
                hint="rename the plug-in's probe; plug-in ids start with the plug-in's own prefix",
            )
        self.probes[name] = probe
        self.origins[name] = origin

    def get(self, name: str) -> Probe:
        """The probe with this id.

        Raises:
            UsageError: with the closest names.
        """
        if name not in self.probes:
            raise UsageError(f"no probe called {name!r}", hint=did_you_mean(name, self.probes))
        return self.probes[name]

    def matching(self, patterns: Iterable[str]) -> list[Probe]:
        """Probes whose id matches any of the globs, in registry order.

        Raises:
            UsageError: for a glob that matches nothing.
        """
        wanted: set[str] = set()
        for pattern in patterns:
            names = fnmatch.filter(self.probes, pattern)
            if not names:
                raise UsageError(f"no probe matches {pattern!r}", hint=did_you_mean(pattern, self.probes))
            wanted.update(names)
        return [probe for name, probe in self.probes.items() if name in wanted]


def load_registry(*, plugin_files: Iterable[Path] = ()) -> Registry:
    """All probes there are: built-in, installed, and from `plugin_files`.

    Raises:
        UsageError: when a plug-in file is missing or broken (it was asked for by name), or two ids clash.
    """
    registry = Registry()
    for reference in BUILT_IN:
        module, _, attribute = reference.partition(":")
        for probe in _probes_in(getattr(importlib.import_module(module), attribute)):
            registry.add(probe, origin="built-in")
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        distribution = point.dist.name if point.dist else "an unknown distribution"
        try:
            found = list(_probes_in(point.load()))
        except Exception as error:  # a stranger's code may fail in any way, and must not take the audit with it
            registry.broken.append(Broken(point.name, f"{distribution}: {type(error).__name__}: {error}"))
            continue
        for probe in found:
            registry.add(probe, origin=distribution)
    for path in plugin_files:
        for probe in _probes_in_file(path):
            registry.add(probe, origin=str(path))
    return registry


def _probes_in(found: object) -> Iterator[Probe]:
    for item in found if isinstance(found, tuple) else (found,):
        probe = item() if isinstance(item, type) else item
        if not (isinstance(getattr(probe, "info", None), ProbeInfo) and callable(getattr(probe, "run", None))):
            raise TypeError(f"{item!r} is no probe: it needs an info of type ProbeInfo and a run method")
        yield probe


def _probes_in_file(path: Path) -> list[Probe]:
    if not path.is_file():
        raise UsageError(f"no plug-in file {path}", hint="--plugin takes the path of a Python file with a PROBES tuple")
    name = f"audit_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"not a Python file: {path}", hint="--plugin takes a .py file with a PROBES tuple")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        return list(_probes_in(module.PROBES))
    except Exception as error:
        raise UsageError(
            f"plug-in {path} does not load: {type(error).__name__}: {error}",
            hint="it must define PROBES, a tuple of probe classes or probes",
        ) from error
