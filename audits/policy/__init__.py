"""What a deployment asks of a model: the file, its presets, and what can be said of it before a run."""
