"""A demonstration: real plans run with simulated devices, kept in a configuration 'example'."""

from .installation import NAME, Installed, install

__all__ = ["NAME", "Installed", "install"]
