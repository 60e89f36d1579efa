"""What a reader must know of a run before crediting its model with a change."""

from __future__ import annotations

from collections.abc import Iterator

from probes.core.comparison import Difference
from probes.core.manifest import Manifest


def facts(run: Manifest) -> dict[str, str]:
    """By name, each in one line."""
    model, environment = run.model, run.environment
    return {
        "Model": f"{model.name} {model.fingerprint[:12]}",
        "Architecture": model.architecture,
        "Labels": ", ".join(model.labels),
        "Data": f"{run.data.name} {run.data.fingerprint[:12]}",
        **{f"Data called {name}": card.fingerprint[:12] for name, card in sorted(run.domains.items())},
        "Suite": run.suite,
        "Policy": run.policy_digest[:12],
        "Seed": str(run.seed),
        "Number type": environment.dtype,
        "Device": environment.device_name,
        "Engine": model.engine,
        "Tool": environment.tool,
        "Python": environment.python,
        **dict(sorted(environment.packages.items())),
    }


def differences(old: Manifest, new: Manifest) -> Iterator[Difference]:
    """What is not the same in two runs."""
    before, after = facts(old), facts(new)
    for what in dict.fromkeys((*before, *after)):
        pair = before.get(what, ""), after.get(what, "")
        if pair[0] != pair[1]:
            yield Difference(what=what, before=pair[0], after=pair[1])
