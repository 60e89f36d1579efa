"""The demonstration model, built on the user's machine."""
