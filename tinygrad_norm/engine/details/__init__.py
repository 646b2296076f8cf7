"""What the engine needs and a reader does not: arrays, samples, summation, saving."""
