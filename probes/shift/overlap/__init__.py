"""Texts that stand in two data sets."""
