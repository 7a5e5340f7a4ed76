"""Is the generator copying?"""
