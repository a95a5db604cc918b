"""SQL, and what all databases have in common; the room of each has its driver."""
