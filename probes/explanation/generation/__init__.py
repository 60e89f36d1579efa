"""Which words of a prompt pushed a model to write what it wrote?"""
