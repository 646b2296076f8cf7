"""The exercises, a file each: the text, the hints, the reference solution, what is checked."""
