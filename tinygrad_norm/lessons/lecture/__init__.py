"""The lecture on normalization: its tables, its steps, and what its notes got wrong."""
