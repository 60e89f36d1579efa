"""How different the texts of another domain are from the in-domain ones."""
