"""Inputs that no server may be troubled by, as data."""
