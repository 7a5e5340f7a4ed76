"""Which parts of an image move a detector's score?"""
