"""How does the model behave around harmful language, whether it looks for it or not."""
