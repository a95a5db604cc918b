"""Small things that every room may use, and that know of none."""
