"""What leaving unsure answers to people buys away from the in-domain texts."""
