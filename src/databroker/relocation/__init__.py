"""Files that moved: found again, matched, and the root map that leads to them."""
