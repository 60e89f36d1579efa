"""How well the model does on texts of other kinds than its own."""
