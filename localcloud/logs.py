"""Log Analytics, as the gateway wires it. The rooms behind this door are in `localcloud.loganalytics`."""

from localcloud.loganalytics.kql import QueryError
from localcloud.loganalytics.service import Logs

__all__ = ["Logs", "QueryError"]
