"""The runs of a Tiled server, for reading."""

from .store import TiledStore

__all__ = ["TiledStore"]
