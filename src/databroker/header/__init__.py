"""A header: a user's handle on one run, and what it hands out."""

from .header import Header

__all__ = ["Header"]
