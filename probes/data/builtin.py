"""The built-in corpora, all our own: sentences in eight registers, and questions, for audits without data."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby

from probes.core.examples import Accepted, DataCard, Example, content_hash, data_fingerprint
from probes.data.load import Loaded

LICENCE = "CC0-1.0"


def builtin_corpus(*, pairs: bool = False) -> Loaded:
    """Unlabelled English sentences, each with its register as a group.

    Args:
        pairs: make pairs of the sentences that belong to one situation, for models that read two texts. No
            configuration file says whether a model does, so the user must.
    """
    sentences = list(_sentences())
    texts = list(_pairs(sentences)) if pairs else sentences
    examples = tuple(Example.of(text, groups={"register": register}) for register, text in texts)
    return Loaded(
        examples,
        DataCard(
            name="built-in sentence pairs" if pairs else "built-in sentences",
            source="built-in",
            fingerprint=data_fingerprint(examples),
            n=len(examples),
            labelled=0,
            groups=("register",),
            licence=LICENCE,
            rows_read=len(examples),
            notes=(
                "No data was given: these are general English sentences written for this tool, without labels. "
                "They are not the texts the model is meant for.",
            ),
        ),
    )


def builtin_questions() -> Loaded:
    """English questions about short contexts with the accepted answers, for models that find answers in a context."""
    examples = tuple(_questions())
    return Loaded(
        examples,
        DataCard(
            name="built-in questions",
            source="built-in",
            fingerprint=data_fingerprint(examples),
            n=len(examples),
            labelled=len(examples),
            licence=LICENCE,
            rows_read=len(examples),
            notes=(
                "No data was given: these are a few easy questions about short contexts written for this tool. "
                "They are not the texts the model is meant for, and too few to say how well it does its task.",
            ),
        ),
    )


def _questions() -> Iterator[Example]:
    context = ""
    for kind, text, *accepted in _lines("questions.tsv"):
        if kind == "C":
            context = text
            continue
        golds = Accepted(accepted[0].split("|"))
        yield Example.of((text, context), gold=golds, cluster=content_hash(context))


def _lines(name: str) -> Iterator[list[str]]:
    for line in files("probes.data").joinpath("corpus", name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")


def _sentences() -> Iterator[tuple[str, str]]:
    yield from ((register, text) for register, text in _lines("english.tsv"))


def _pairs(sentences: list[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Lines 1 and 2, 3 and 4, ... of each register: no sentence is in two pairs, so the pairs are independent."""
    for register, members in groupby(sentences, key=lambda sentence: sentence[0]):
        texts = [text for _, text in members]
        for first, second in zip(texts[::2], texts[1::2], strict=True):
            yield register, (first, second)
