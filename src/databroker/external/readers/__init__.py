"""Files of each format, read by frames."""
