"""How fast gandetect is on this machine, beside a plain PyTorch port: `make bench`."""
