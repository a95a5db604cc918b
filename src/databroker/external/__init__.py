"""Data that documents only point to: handlers that open it, and where it is."""

from .registry import Registry

__all__ = ["Registry"]
