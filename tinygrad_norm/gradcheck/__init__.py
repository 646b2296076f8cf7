"""The gradient check that measures its own error and names the mistake."""
