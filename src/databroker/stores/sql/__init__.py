"""Runs in an SQL database: one design, one small table of differences a dialect."""

from .store import SQLiteStore

__all__ = ["SQLiteStore"]
