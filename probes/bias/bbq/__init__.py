"""Whom does a model name when a question about people cannot, or can, be answered?"""
