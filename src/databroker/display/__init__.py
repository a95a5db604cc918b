"""What people see: runs, search results and brokers as text and as HTML.

Pure functions from plain data. Nothing here opens a store.
"""
