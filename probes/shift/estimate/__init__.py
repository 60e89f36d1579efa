"""How often is the model right where nobody has said what is right?"""
