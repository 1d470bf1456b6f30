"""Bytes and pixels, before any network."""
