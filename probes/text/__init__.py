"""Language material that several risks share: word lists, perturbations, and a model's answers to variants of a text.

Imports `probes.core` only; risk packages import it (docs/decisions/0006).
"""
