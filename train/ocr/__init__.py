"""Training of the text detector and of the text recognizer."""
