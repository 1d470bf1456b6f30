"""Training of the catalogue part: choices, paths and texts."""
