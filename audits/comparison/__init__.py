"""A run against another one, item by item."""
