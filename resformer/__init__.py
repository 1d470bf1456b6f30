"""Product photos to structured values."""
