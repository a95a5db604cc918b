"""The driver and the file: connections, transactions, checkpoints, what goes wrong."""
