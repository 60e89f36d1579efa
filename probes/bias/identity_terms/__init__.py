"""Does a harm classifier take mentions of an identity for harm?"""
