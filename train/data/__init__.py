"""Data sets: tables, records, splits, and synthetic products."""
