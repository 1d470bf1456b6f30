"""Inputs that try to stop the server, by what they attack, each with the answers that it may get."""
