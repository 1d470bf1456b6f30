"""Rendered text lines, whose text is known exactly."""
