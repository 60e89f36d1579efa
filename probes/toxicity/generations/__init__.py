"""Is what a generator writes toxic?"""
