"""What passes between a server and its clients: calls, answers and errors, as data.

The table of calls (`stores/wire/calls.py`) is the one place that says what can be called. The
server makes its routes from it, the remote store its requests, and the OpenAPI description too.
"""
