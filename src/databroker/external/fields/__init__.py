"""Fields whose data are in files, read value by value or as arrays."""
