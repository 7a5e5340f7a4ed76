"""When did each stage run, and how many at a time?"""
