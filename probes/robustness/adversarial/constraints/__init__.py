"""Rules that a changed text must keep, and what each finds out about whether its label is still the same."""
