"""Which associations do the encoder's own vectors hold?"""
