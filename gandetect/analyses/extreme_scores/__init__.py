"""Which images was a detector sure of, rightly and wrongly, and which could it not decide?"""
