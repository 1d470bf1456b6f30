"""Tables in their formats: CSV, TSV, JSON lines and Parquet, read in batches and written in batches."""
