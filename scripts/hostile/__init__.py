"""Hostile calls as data: what an attacker sends, and what the server may answer."""
