"""Do neutral sentences score differently by the group they mention?"""
