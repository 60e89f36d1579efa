"""Options that several verbs share, and the two levels of help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)


def _show_all(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    for parameter in ctx.command.params:
        if isinstance(parameter, click.Option):
            parameter.hidden = False
    click.echo(ctx.command.get_help(ctx))
    ctx.exit()


def _label_map(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for value, (data, equals, model) in zip(values, pairs, strict=True):
        if not (data and equals and model):
            raise click.BadParameter(f"{value!r} is not of the form DATA=MODEL")
    return {data: model for data, _, model in pairs}


def _labels(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(label.strip() for value in values for label in value.split(","))


def _prompt(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A shell passes on the two characters of a line break as they stand."""
    return value if value is None else value.replace("\\n", "\n").replace("\\t", "\t")


def _shifts(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        name, equals, source = value.partition("=")
        if not (name.strip() and equals and source):
            raise click.BadParameter(f"{value!r} is not of the form NAME=PATH")
        if name.strip() in found:
            raise click.BadParameter(f"two data sets are called {name.strip()!r}")
        found[name.strip()] = source
    return found


_REQUEST = (
    click.option("--model", help="Folder, Hub id, `demo` or `demo-lm`."),
    click.option(
        "--data", help="File, folder or Hub id, with :SPLIT if wanted. Without it: built-in sentences, no labels."
    ),
    click.option("--suite", help="quick, full (default), explanation or one of your own."),
    click.option("--only", multiple=True, metavar="GLOB", help="Only probes whose id matches; repeatable."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N items of the data a probe."),
    click.option("--time-budget", metavar="TIME", help="Cut the samples to fit, e.g. 10m; shown in the report."),
    click.option("--device", help="auto (default), cpu, cuda, cuda:1 or mps."),
    click.option(
        "--engine",
        type=click.Choice(["transformers", "vllm"]),
        hidden=True,
        help="What computes the answers; vllm is for causal language models (see docs/language-models.md).",
    ),
    click.option("--config", type=_PATH, metavar="FILE", help="audit.yaml; flags win over it."),
    click.option("--revision", hidden=True, help="Branch, tag or commit of a Hub model; recorded as a commit."),
    click.option(
        "--base", hidden=True, metavar="PATH|ID", help="Model that an adapter is put on; default: the one it names."
    ),
    click.option(
        "--task",
        hidden=True,
        metavar="TASK",
        help="What the model is for, where its config.json does not say: text-classification, text-generation ...",
    ),
    click.option("--split", hidden=True, help="Split of the data."),
    click.option("--data-revision", hidden=True, help="Branch, tag or commit of a Hub data set."),
    click.option("--text-column", "text_columns", multiple=True, hidden=True, help="Text column; give two for pairs."),
    click.option("--label-column", hidden=True, help="Column of right answers."),
    click.option("--group-column", "group_columns", multiple=True, hidden=True, help="Column of groups; repeatable."),
    click.option("--cluster-column", hidden=True, help="Rows with equal values are not independent."),
    click.option(
        "--label-map",
        multiple=True,
        callback=_label_map,
        hidden=True,
        metavar="DATA=MODEL",
        help="A label of the data as the model calls it; `-` drops the rows.",
    ),
    click.option(
        "--labels",
        multiple=True,
        callback=_labels,
        hidden=True,
        metavar="A,B|A=WORDS,B=WORDS",
        help="Audit a language model as a classifier: these labels, by how likely it finds their words.",
    ),
    click.option(
        "--prompt",
        callback=_prompt,
        hidden=True,
        metavar="TEXT",
        help="With --labels: what it is asked, such as 'Review: {text}\\nSentiment:'; {text_pair} for pairs.",
    ),
    click.option(
        "--label-score",
        type=click.Choice(["total", "mean", "calibrated"]),
        hidden=True,
        help="With --labels: log-probability of all tokens (total), by token, or without what the prompt suggests.",
    ),
    click.option(
        "--shift",
        "shifts",
        multiple=True,
        callback=_shifts,
        hidden=True,
        metavar="NAME=PATH|ID",
        help="Data of another kind to compare with, with :SPLIT if wanted; repeatable.",
    ),
    click.option(
        "--in-domain", hidden=True, metavar="VALUE", help="With --group-column domain: the model's own domain."
    ),
    click.option(
        "--profile",
        type=click.Choice(["auto", "toxicity", "general"]),
        hidden=True,
        help="Does the model look for harm in texts (toxicity) or not (general); auto: as its label names say.",
    ),
    click.option(
        "--positive-label",
        "positive_labels",
        multiple=True,
        hidden=True,
        metavar="LABEL",
        help="The answer that measures of fairness count, such as `approved` or `toxic`; repeatable.",
    ),
    click.option(
        "--terms",
        multiple=True,
        type=_PATH,
        hidden=True,
        metavar="FILE",
        help="Your own identity terms (see docs/bias-and-toxicity.md); repeatable.",
    ),
    click.option("--hatecheck", hidden=True, metavar="PATH|ID", help="HateCheck test cases, for harm classifiers."),
    click.option(
        "--benchmarks",
        type=_PATH,
        hidden=True,
        metavar="DIR",
        help="Files of published benchmarks for language models (CrowS-Pairs, StereoSet, RealToxicityPrompts ...).",
    ),
    click.option(
        "--recipe",
        "recipes",
        multiple=True,
        hidden=True,
        metavar="NAME",
        help="Attack by this recipe, such as deepwordbug or textattack:pwws (see docs/attacks.md); repeatable.",
    ),
    click.option(
        "--scorer",
        "scorers",
        multiple=True,
        hidden=True,
        metavar="PATH|ID[=LABEL]",
        help="Classifier that judges what a generator writes, such as one of toxicity; repeatable.",
    ),
    click.option(
        "--scorer-calibration",
        hidden=True,
        metavar="PATH|ID",
        help="Texts labelled as harmful or not, to tell how often the scorers err.",
    ),
    click.option(
        "--word-vectors", hidden=True, metavar="FILE", help="Word vectors for attacks: .txt, .vec, .bin or .npz."
    ),
    click.option(
        "--word-model", hidden=True, metavar="PATH|ID", help="Masked language model that attacks ask for words."
    ),
    click.option(
        "--sentence-encoder", hidden=True, metavar="PATH|ID", help="Says how near an attacked text is to the first one."
    ),
    click.option(
        "--entailment-model",
        hidden=True,
        metavar="PATH|ID",
        help="Says whether an attacked text follows from the first one.",
    ),
    click.option(
        "--training-texts",
        hidden=True,
        metavar="PATH|ID",
        help="Texts a language model was trained on: does it give them away? (see docs/privacy.md)",
    ),
    click.option(
        "--holdout-texts",
        hidden=True,
        metavar="PATH|ID",
        help="Texts of the same kind that it was not trained on, to compare with.",
    ),
    click.option(
        "--canaries", type=_PATH, hidden=True, metavar="FILE", help="Secrets put into its training data on purpose."
    ),
    click.option("--pairs", is_flag=True, hidden=True, help="The model reads pairs: give built-in sentences in pairs."),
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        hidden=True,
        metavar="NAME|PATH",
        help="A further metric of the evaluate library; a path runs that file's code.",
    ),
    click.option(
        "--plugin", "plugins", multiple=True, type=_PATH, hidden=True, help="Python file with a PROBES tuple."
    ),
    click.option("--seed", type=click.IntRange(min=0), hidden=True, help="Of everything random; 0 by default."),
    click.option("--dtype", hidden=True, help="float32, bfloat16 or float16; default: the checkpoint's own."),
    click.option("--max-length", type=click.IntRange(min=8), hidden=True, help="Cut texts to this many tokens."),
    click.option(
        "--store-text",
        type=click.Choice(["full", "digest", "none"]),
        hidden=True,
        help="How much of the audited texts the run folder keeps; full by default.",
    ),
    click.option("--allow-pickle", is_flag=True, hidden=True, help="Load pickled weights, which can run code."),
    click.option("--trust-remote-code", is_flag=True, hidden=True, help="Run code from the model's repository."),
)

_JUDGING = (
    click.option("--waivers", type=_PATH, hidden=True, metavar="FILE", help="Exceptions that people have granted."),
    click.option(
        "--baseline", type=_PATH, metavar="RUN", help="Compare item by item with the run of an approved model."
    ),
)

_BASE = click.option(
    "--against-base",
    is_flag=False,
    flag_value="own",
    hidden=True,
    metavar="[PATH|ID]",
    help="Audit what it was fine-tuned from first, and say what fine-tuning changed; default: as the model says.",
)

_FORM = (
    click.option("--unmask", is_flag=True, hidden=True, help="Show offensive words and personal data."),
    click.option(
        "--layout",
        type=click.Choice(["single", "dir"]),
        default="single",
        hidden=True,
        help="dir: a folder with style and script apart, for hosts that allow neither within a page.",
    ),
    click.option("--pdf", is_flag=True, hidden=True, help="Write the report as PDF too (extra `pdf`)."),
)

_OUTPUT = (
    click.option("--quiet", "-q", is_flag=True, hidden=True, help="Only errors."),
    click.option("--json", "machine", is_flag=True, hidden=True, help="Result as JSON on standard output."),
)

_HELP_ALL = click.option(
    "--help-all", is_flag=True, is_eager=True, expose_value=False, callback=_show_all, help="Show all options."
)


def request_options(function: Decorated) -> Decorated:
    """What to audit, on what and how."""
    for option in reversed(_REQUEST):
        function = option(function)
    return function


def judging_options(function: Decorated) -> Decorated:
    """What a verdict takes into account besides the policy."""
    for option in reversed(_JUDGING):
        function = option(function)
    return function


def base_option(function: Decorated) -> Decorated:
    """Whether to compare with what the model was fine-tuned from."""
    return _BASE(function)


def form_options(function: Decorated) -> Decorated:
    """How the report is written."""
    for option in reversed(_FORM):
        function = option(function)
    return function


def output_options(function: Decorated) -> Decorated:
    """How to tell the result."""
    for option in reversed((*_OUTPUT, _HELP_ALL)):
        function = option(function)
    return function


def help_all(function: Decorated) -> Decorated:
    """The second level of help, for a verb that has hidden options and tells no result."""
    return _HELP_ALL(function)
