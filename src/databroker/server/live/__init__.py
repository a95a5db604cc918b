"""Followers of a served source: what is stored from now on, as server-sent events."""
