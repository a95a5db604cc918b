"""Several stores that are asked as one."""

from .store import FederatedStore

__all__ = ["FederatedStore"]
