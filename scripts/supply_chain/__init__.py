"""What the project is made of: locked versions with hashes, a bill of materials, known vulnerabilities."""
