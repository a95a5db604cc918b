"""Why databroker does not do what one expects of it: what is looked at, and how it is mended.

Examples
--------
>>> from databroker.doctor import examine
>>> any(finding.about == "databroker" for finding in examine([]))
True
"""

from .examine import examine
from .finding import Diagnosis

__all__ = ["Diagnosis", "examine"]
