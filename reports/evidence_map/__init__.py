"""The evidence map: which results of a run are evidence relevant to which clause of a law or standard, and which none.

The maps are data, one file for each instrument under `instruments/`, with its legal status, its dates and the day it
was last checked. The wording is the project's own; no text of a standard is reproduced.
"""
