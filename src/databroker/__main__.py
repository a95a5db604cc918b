"""``python -m databroker`` is the ``databroker`` command."""

from .cli import main

if __name__ == "__main__":
    main()
