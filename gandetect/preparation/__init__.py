"""The data stage: the images of a study by use, and the proof that the splits do not overlap."""

from gandetect.preparation.class_images import SplitImages, prepare_images

__all__ = ["SplitImages", "prepare_images"]
