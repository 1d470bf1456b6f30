"""Image files to pixels, and what is computed from pixels before any network."""
