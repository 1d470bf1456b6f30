"""Training of the network's own reading of strips."""
