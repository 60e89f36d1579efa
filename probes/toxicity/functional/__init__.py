"""Which kinds of harmful and harmless texts does a harm classifier get wrong?"""
