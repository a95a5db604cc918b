"""Documents as files have them, one after the other: JSON lines, MessagePack."""
