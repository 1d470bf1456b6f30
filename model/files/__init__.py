"""Files of users: tables, the photos that they name, and files that are written whole."""
