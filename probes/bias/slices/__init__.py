"""On which describable part of the data is the model worst?"""
