"""Are decisions and errors spread equally over the groups in the data?"""
