"""What the images are, and their files."""
