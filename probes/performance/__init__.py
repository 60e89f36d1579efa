"""How well the model does its task, and how far its confidence can be believed."""
