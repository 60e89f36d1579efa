"""Is harm still found when it is spelt so as to slip through?"""
