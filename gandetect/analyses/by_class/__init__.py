"""Which real images are flagged, class by class?"""
