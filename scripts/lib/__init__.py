"""What several scripts need: tables, journals, downloads, answers."""
