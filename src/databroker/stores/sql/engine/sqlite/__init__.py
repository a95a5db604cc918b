"""The engine room of SQLite: its driver, its files, and all that only it has."""
