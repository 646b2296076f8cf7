"""What the engine needs and a reader does not: arrays, summation, saving."""
