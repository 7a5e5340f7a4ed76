"""A plug-in for gandetect: an architecture, a kind of detector, a data set and an analysis."""

GANDETECT_API = 1
