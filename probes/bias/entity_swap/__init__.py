"""Names and places of different groups in the same sentences: does a tagger find them alike."""
