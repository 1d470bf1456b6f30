"""Hostile inputs as data, and the run that sends them to a server and measures what they cost it."""
