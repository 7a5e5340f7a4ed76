"""Inputs that nobody would write: what reads them answers, and never silently wrong.

`make fuzz` runs it all; `PYTHONPATH=tests python -m fuzz --help` says how to run parts. Each part
is a module with ``run(count, seed, until)``: it tries so many inputs, all drawn from the seed, or
fewer if `time.monotonic` reaches ``until``, and returns a sentence for each failure.
"""
