"""The page on which photos and tables are tried, in front of a server or of networks in this process."""
