"""What pushed the answer in a few cases that a reader should see?"""
