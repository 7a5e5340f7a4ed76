"""Detectors: what all of them can do, and a file for each kind.

A kind's file says what its table in an experiment file holds, how one is made of finished
trainings, how its network is built again when its folder is loaded, and what reports call it.
Experiments and reports are read without torch, so a kind imports what needs it where it is used.
"""
