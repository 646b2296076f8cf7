"""The operations, each with its derivative beside it. None knows what a Tensor is."""
