"""Does what a generator writes depend on the group of people that its prompt is about?"""
