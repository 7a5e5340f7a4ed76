"""How do supervised classifiers do, split by split?"""
