"""Training of the text recognizer."""
