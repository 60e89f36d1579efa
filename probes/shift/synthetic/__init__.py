"""How the user's own texts fare when they are written in another register or come through another channel."""
