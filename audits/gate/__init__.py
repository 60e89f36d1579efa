"""From measurements and a policy to a verdict."""
