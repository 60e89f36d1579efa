"""What does a model give away of the texts it was trained on?"""
