"""Training of the Resformer."""
