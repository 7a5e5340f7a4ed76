"""The reference study's tables beside ours."""
