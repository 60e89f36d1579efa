"""By which method a probe of this package explains: the one asked for, or one that the network allows instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probes.core.attributions import Method
from probes.core.errors import UsageError
from probes.core.model import ModelCard
from probes.core.records import Accounting, Record, Skip, SkipReason

_NAMES: Mapping[Method, str] = {
    Method.FEATURE_ABLATION: "leaving one word out",
    Method.OCCLUSION: "leaving one word out",  # its window is one word
    Method.SHAPLEY_SAMPLING: "Shapley value sampling",
    Method.KERNEL_SHAP: "KernelSHAP",
    Method.GRADIENT_SHAP: "GradientSHAP",
    Method.DEEP_LIFT: "DeepLift",
    Method.LIME: "LIME",
}


def named(method: Method) -> str:
    """The method as a reader sees it; methods of one name give the same numbers."""
    return _NAMES.get(method, method.value.replace("_", " "))


def method_named(name: str, *, probe: str) -> Method:
    """The method of that name, as read from YAML.

    Raises:
        UsageError: for another word.
    """
    try:
        return Method(name)
    except ValueError:
        raise UsageError(f"{probe}: method {name!r}", hint=f"method is one of {', '.join(Method)}") from None


def allowed(card: ModelCard, *wanted: Method) -> Method | None:
    """The first of these methods that the network allows; None when it allows none."""
    return next((method for method in wanted if method not in card.unattributable), None)


def chosen_method(card: ModelCard, asked: Method) -> Method | None:
    """The method asked for, or one that the network allows instead; None when there is none."""
    return allowed(card, asked, Method.INTEGRATED_GRADIENTS, Method.OCCLUSION)


def instead(used: Method, *, asked: Method) -> str:
    """A note for the reader where it is not the method asked for."""
    return "" if used is asked else f"explained by {named(used)}, because the network does not allow {named(asked)}"


def no_method(card: ModelCard, asked: Method, *, total: int) -> Iterator[Record]:
    """When none can be used on `total` items."""
    yield Accounting(eligible=total, scored=0, unscored=total)
    yield Skip(
        reason=SkipReason.NO_CAPABILITY,
        detail=f"No attribution method can be used on this network: {card.unattributable.get(asked, 'not supported')}",
    )
