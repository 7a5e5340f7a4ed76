"""Training: the adversarial loop, and the classifier that judges generated images."""
