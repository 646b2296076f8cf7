"""The engine: a Tensor, the tape it leaves, and the sweep back along it."""
