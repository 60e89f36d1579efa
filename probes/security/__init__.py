"""Does the model do what a stranger wants of it."""
