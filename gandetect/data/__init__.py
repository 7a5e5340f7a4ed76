"""Where images come from: data sets, their splits, and image files of any kind."""

from __future__ import annotations

from pathlib import Path

from gandetect.config import DATA_SETS, ClassImagesConfig, PicturesConfig, SmallSetConfig


def class_names(config: ClassImagesConfig, data_dir: Path) -> tuple[str, ...]:
    """Names of the classes of a GAN study's data, without reading an image.

    Raises `DataError` and `UsageError` for a folder of pictures that is none.
    """
    from gandetect.data import class_folders, fashion_mnist

    if isinstance(config, PicturesConfig):
        return class_folders.picture_classes(config, data_dir)
    if isinstance(config, SmallSetConfig):
        return DATA_SETS[config.name].classes
    return fashion_mnist.CLASSES
