"""Training of the quantity network."""
