"""What passes between a server and the stores that ask it: questions, answers and errors, as data.

The table of calls (`stores/wire/calls.py`) is the one place that says what can be asked: a server
answers from it, a remote store asks by it, and the description of the interface is made of it.
"""
