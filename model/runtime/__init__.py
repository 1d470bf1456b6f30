"""Where modules are computed."""
