"""Streams of a run: rows in order, as documents and as tables."""
