"""Runs in an SQL database: one design, one small table of differences a dialect."""

from .sqlite import SQLiteStore

__all__ = ["SQLiteStore"]
