"""Runs in files of their own: folders of JSON lines, or of MessagePack."""

from .store import JSONLStore, MsgpackStore

__all__ = ["JSONLStore", "MsgpackStore"]
