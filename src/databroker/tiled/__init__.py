"""The runs of a broker in a Tiled server, for programs that are written for Tiled.

What makes a broker a tree of a Tiled server is here. The other way round, the runs of a Tiled
server as a source of a broker, is the driver ``tiled``.
"""

from .opening import tree

__all__ = ["tree"]
