"""What can a detector do whatever the threshold?"""
