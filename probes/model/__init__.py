"""The audited model behind bulk questions: loading, batching, caching. The only place that imports torch.

`card.describe` reads what a folder says of itself; `load.load` makes a classifier of it; `cache.AnswerCache` remembers
its answers. Of these only `load` imports torch at module level.
"""
