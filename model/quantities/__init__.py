"""Numbers, units and quantities in text, and the candidates that questions are answered with."""
