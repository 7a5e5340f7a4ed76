"""The architectures by name, a file each: their networks, and how they are trained by default.

The numbers of the DCGANs are those of two public notebooks (README, "Sources"). The others follow
the papers that their networks name, with numbers chosen by FID and samples.
"""
