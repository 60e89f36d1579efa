"""Which words push the answers of a whole corpus?"""
