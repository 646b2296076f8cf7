"""Graded exercises: the lecture from column statistics to masked attention, and an engine of one's own.

:data:`.tasks.EXERCISES` lists them, :func:`.grading.grade_file` grades a learner's file in a process of its own. The
one idea: no answer is stored. Values are compared with what the engine computes at the time, gradients go through the
gradient check, and both say which mistake it probably is.
"""
