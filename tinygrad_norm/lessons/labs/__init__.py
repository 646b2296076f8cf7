"""Experiments that train: what padding does to each normalization, and how each trains a small Transformer.

``reviews`` makes the sentences, ``classifier`` the model, ``fit`` trains it; ``padding``, ``train_reviews`` and
``train_digits`` are the experiments.
"""
