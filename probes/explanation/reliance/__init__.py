"""Does the model lean on words that it must not lean on?"""
