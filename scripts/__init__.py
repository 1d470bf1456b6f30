"""What users run: the command line, serving, scoring, downloads."""
