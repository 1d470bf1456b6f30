"""Training of the maps of print."""
