"""Whether all that is stored is as it was written: documents, rows, and their indexes."""

from .check import check_database

__all__ = ["check_database"]
