"""Runs on their way from one store to another: sent, compared afterwards, told about."""
