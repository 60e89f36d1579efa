"""Which natural part of the user's own data the model serves worse than all the rest."""
