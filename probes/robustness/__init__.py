"""Does the answer survive the ways real text differs from test text."""
