"""Training of the attribute network: choices, paths and texts."""
