"""Training of the text detector."""
