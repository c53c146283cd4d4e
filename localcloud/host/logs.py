"""The host's log: one line an event on stderr, with the run that it belongs to.

Called once by __main__. What the app logs is forwarded at INFO and above, as on Azure; what the Azure SDKs
say of each request is not.
"""

import logging
import time

from localcloud.host.worker import current_invocation_id

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s%(run)s: %(message)s"


class _RunFilter(logging.Filter):
    """Puts the first digits of the run's id on each line."""

    def filter(self, record: logging.LogRecord) -> bool:
        current = current_invocation_id()
        record.run = "" if current is None else f" [{current[:8]}]"
        return True


def configure() -> None:
    """Send all logs of the process to stderr."""
    handler = logging.StreamHandler()
    formatter = logging.Formatter(_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_RunFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("azure", "aiohttp.access", "asyncio", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
