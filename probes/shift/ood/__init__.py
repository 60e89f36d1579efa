"""Whether the model's own scores tell texts of another kind from those it was made for."""
