"""Does the model treat people and groups unequally, on the user's own data and on sentences of our own."""
