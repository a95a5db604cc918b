"""Whether all that is stored is as it was written: documents, rows, and their indexes."""
