"""Named groups of images that detectors are trained on and scored on.

A source is a small description: what it is called, whose images they are, and which of them count.
Opened, it is an `ImageSet`, whose pixels stay on the disk until they are used.
"""

from gandetect.sources.image_sets import ImageSet, Indices, Source

__all__ = ["ImageSet", "Indices", "Source"]
