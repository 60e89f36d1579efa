"""Ways in which real text differs from test text: pure functions of (text, severity, rng)."""
