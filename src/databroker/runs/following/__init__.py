"""What is stored from now on, as it comes: runs, documents of a run, rows of a stream."""
