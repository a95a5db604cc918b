"""Where documents live: the contract, the registry, and a room for each kind of store."""
