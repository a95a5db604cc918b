"""Documents that wait on this machine while the server of their store takes none."""
