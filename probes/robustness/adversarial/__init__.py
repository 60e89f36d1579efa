"""Adversarial attacks: searches for small changes of a text that make a model answer otherwise.

An attack is put together from parts that know nothing of one another: a `Goal` says when an answer counts as broken, a
`Transformation` proposes changes of words, `Constraint`s refuse proposals, and a `Method` decides what is tried next.
`recipes` names the published combinations. Each part is asked about one text; `probes.robustness.search` runs the
attacks on all texts together and puts their questions as one.
"""
