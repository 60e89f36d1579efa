"""What happens to a model away from the data it was tuned on."""
