"""The engine room of PostgreSQL: its driver, its sessions, and all that only it has."""
