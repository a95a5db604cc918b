"""External values, read on the server and sent in pieces."""
