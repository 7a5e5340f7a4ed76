"""Mutants: copies of the package with one small fault each, which the default tests must notice.

`make mutants` draws some of every room and prints which of them survive.
"""
