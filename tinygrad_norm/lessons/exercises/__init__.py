"""Twelve graded exercises on the lecture: column statistics to masked attention, forward and backward.

:data:`.tasks.EXERCISES` lists them, :func:`.grading.grade_file` grades a learner's file in a process of its own. The
one idea: no answer is stored. Values are compared with what the engine computes at the time, gradients go through the
gradient check, and both say which mistake it probably is.
"""
