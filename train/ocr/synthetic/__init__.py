"""Drawn print with exact truth: strips of one line, and whole photos."""
