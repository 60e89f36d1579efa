"""TextAttack's own recipes, unchanged, against the audited model: through our engine, in a process of their own.

`child` runs in an interpreter that has TextAttack and none of our packages; `bridge` talks to it; `recipe` makes it
look like any other recipe. Nothing else here or elsewhere imports TextAttack: importing it tries downloads, overwrites
variables of the environment, and binds transformers to its fourth line.
"""
