"""What tests share that is no fixture: documents, runs, files, and ways to read them."""
