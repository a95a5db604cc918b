"""How fast databroker is, beside the least that the same answer needs.

Each module measures one row, or a few related rows, of the table in RESULTS.md and can be run
by itself: ``python -m benchmarks.tables``. All of them: ``python -m benchmarks.run``.
"""
