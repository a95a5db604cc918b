"""What `databroker serve` does: sources opened, sockets, worker processes, connections."""
