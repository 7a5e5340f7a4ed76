"""Several runs side by side on one page: what was changed, and which figures moved."""
