"""What a document is: its kinds, its checks, its exact encoding."""

from .accept import accept
from .encode import decode, encode, same
from .pages import unpack

__all__ = ["accept", "decode", "encode", "same", "unpack"]
