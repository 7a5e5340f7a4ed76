"""Do scores mean what they say, and what is caught when few reals may be flagged?"""
