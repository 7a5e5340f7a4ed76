"""What was run, with what, and how to make it again."""
