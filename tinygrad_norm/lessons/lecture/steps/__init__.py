"""The steps of the lecture: one module each, a function from settings to a step of plain data."""
