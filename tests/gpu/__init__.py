"""What a first GPU is asked: does all run there, is it equal, how fast is it; `make gpu-check`.

``PYTHONPATH=.:tests python3 -m gpu --out DIR`` on the machine with the GPU. `docs/gpu.md` says
how to get there.
"""
