"""Every perturbation there is, in the order in which lists and reports show them."""

from __future__ import annotations

from probes.text.perturbations import (
    accents,
    casing,
    chains,
    characters,
    context,
    homoglyphs,
    invisible,
    lexical,
    ocr,
    punctuation,
    register,
    whitespace,
    words,
)
from probes.text.perturbations.perturbation import Perturbation

ALL: tuple[Perturbation, ...] = (
    *characters.PERTURBATIONS,
    *ocr.PERTURBATIONS,
    *casing.PERTURBATIONS,
    *punctuation.PERTURBATIONS,
    *whitespace.PERTURBATIONS,
    *accents.PERTURBATIONS,
    *homoglyphs.PERTURBATIONS,
    *invisible.PERTURBATIONS,
    *lexical.PERTURBATIONS,
    *register.PERTURBATIONS,
    *words.PERTURBATIONS,
    *context.PERTURBATIONS,
    *chains.PERTURBATIONS,
)
"""A new perturbation is one entry in its module's PERTURBATIONS; the names are the ids of the probes."""
