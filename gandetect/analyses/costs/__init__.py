"""What does a detector cost or save?"""
