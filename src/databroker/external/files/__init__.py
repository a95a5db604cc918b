"""The files themselves: listed, copied, and found where they moved."""
