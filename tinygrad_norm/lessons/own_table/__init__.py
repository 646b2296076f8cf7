"""The lecture's normalizations on a table of your own: read it, compute every step, write it."""
