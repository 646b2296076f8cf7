"""Experiments on what normalization does: each normalization trained on the same task, and published results tried.

``experiment`` says what a lab is; ``all_labs`` runs the ones that set published results beside one's own, of which each
is a module named as it is on the command line (``padding`` is ``padding_lab``). ``norm_comparison`` is the lab
``train``. What they learn is in ``digits`` and ``reviews``, with what in ``networks``, how in ``training`` and
``evaluation``; ``written_report`` and ``pictures`` show what came of it.
"""
