"""The answer, and what must be known before it is believed."""
