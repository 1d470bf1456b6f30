"""Tools that make OCR caches, tables, vocabularies and weights."""
