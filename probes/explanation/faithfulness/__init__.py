"""Is the explanation true to the model, and would another method, or another network, have given the same?"""
