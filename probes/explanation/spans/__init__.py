"""Which words pushed a tagger to an entity, or a reader to an answer?"""
