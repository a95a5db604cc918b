"""Signatures of what clients bring back: cursors of runs, marks and extents."""
