"""Measures a derivative from function values alone, together with its own error bar.

In the order of reading: :mod:`.step_ladder` says where a function is evaluated, :mod:`.one_line` what it gives along
one line and what is irregular there, :mod:`.numeric` makes slopes and bars of it.
"""
