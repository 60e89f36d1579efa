"""What does a language model expect to be said of the members of each group?"""
