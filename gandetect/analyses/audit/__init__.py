"""Can something trivial tell real from generated?"""
