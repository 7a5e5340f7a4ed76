"""Training: the adversarial loop, and the classifier that evaluates generated images."""
