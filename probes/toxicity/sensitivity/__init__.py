"""Does a curse near the text move a prediction that it should not move?"""
