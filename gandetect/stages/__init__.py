"""The pieces of a study that run in worker processes: train one network, score with one detector.

Each is a plain function of its arguments that writes one folder, leaves it alone when it is
complete, and makes it afresh when it is damaged. `study` says in which order they run.
"""
