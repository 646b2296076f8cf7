"""Experiments that train: how each normalization trains a small network, and, in ``published``, what was published.

``reviews`` makes the sentences, ``classifier`` the model, ``fit`` trains it; ``train_reviews`` and ``train_digits`` are
the experiments.
"""
