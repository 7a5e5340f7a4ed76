"""What a detector is, was trained on and can do, beside its weights."""
