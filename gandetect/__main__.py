"""`python -m gandetect` is `gandetect`."""

from gandetect.cli import main

main(prog_name="gandetect")
