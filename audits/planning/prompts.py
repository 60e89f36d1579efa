"""Benchmarks of beginnings that a generator is to go on with: a probe for each that is among the user's files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from probes.core.examples import data_fingerprint
from probes.core.probe import Probe
from probes.registry import Registry

if TYPE_CHECKING:  # reading data is left to those who have some
    from probes.data.benchmarks import Benchmarks


def add_prompts(registry: Registry, found: Benchmarks) -> None:
    """Register the probes of the prompts that were found."""
    from probes.bias.prompted.bold import Bold
    from probes.bias.prompted.honest import Honest
    from probes.toxicity.generations.real_toxicity_prompts import RealToxicityPrompts

    kinds: Mapping[str, Callable[..., Probe]] = {
        "real_toxicity_prompts": RealToxicityPrompts,
        "bold": Bold,
        "honest": partial(Honest, **_hurtful(found.hurtlex)) if found.hurtlex else Honest,
    }
    for name, prompts in found.prompts.items():
        if prompts:
            probe = kinds[name](digest=data_fingerprint(prompts), cases=prompts, notes=found.notes.get(name, ()))
            registry.add(probe, origin="--benchmarks")


def _hurtful(words: frozenset[str]) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(sorted(words)).encode(errors="surrogatepass")).hexdigest()
    return {"hurtful": words, "words": f"HurtLex, {len(words):,} words, {digest[:12]}"}
