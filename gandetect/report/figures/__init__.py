"""Figures: numbers in, a matplotlib `Figure` or a Pillow image out. No files."""
