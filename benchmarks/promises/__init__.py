"""Attacks on a store, to see whether what is promised holds: see `run`."""
