"""Which sentences about people a language model finds likelier."""
