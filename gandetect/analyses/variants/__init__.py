"""Variants of a study side by side: what each changes of every detector's answers.

`effects.py` compares every detector with that of another variant, group by group, `classes.py` the
false alarms of classes that are held out in some variants alone, and `left_out.py` what detectors
make of a generator that they were not trained on.
"""
