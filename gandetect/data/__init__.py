"""Where images come from: data sets, their splits, and image files of any kind."""

from gandetect.data import fashion_mnist

DATASETS = {"fashion-mnist": fashion_mnist.load}
