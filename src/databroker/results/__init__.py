"""Results of a search: lazy, counted, sorted, or listed as a table."""

from .results import Results

__all__ = ["Results"]
