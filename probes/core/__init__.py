"""The types every probe, report and audit shares. Imports nothing heavier than numpy, scipy, statsmodels, pydantic."""
