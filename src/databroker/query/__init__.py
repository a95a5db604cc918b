"""Questions about runs: what they are made of, how they are read, what they mean."""
