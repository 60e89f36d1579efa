"""Does the model lean on single words more than the right answers justify?"""
