"""Does the answer change with the group a text mentions?"""
