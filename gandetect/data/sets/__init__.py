"""The data sets of small images by name: their shape, their classes, how their files are read."""
