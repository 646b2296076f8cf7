"""A from-scratch autograd framework on NumPy for teaching."""
