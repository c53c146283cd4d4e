"""The measured process: index one app with Microsoft's worker library, run one function once, say what it took.

Started by measuring.py in a fresh interpreter, as `worker.py APP FUNCTION MESSAGE_FILE`. Prints one JSON line. It
must import next to nothing by itself: whatever it imports is counted, for all apps alike.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from localcloud.host.messages import TypedData
from localcloud.host.worker import Worker


async def handle(app: Path, function: str, message: str) -> float:
    """Index and invoke; the moment when it was done, on the clock that all processes share."""
    found = await asyncio.to_thread(_indexed, worker := Worker(), app, function)
    worker.start()
    argument = ("message", TypedData(string=message))
    outcome = await worker.invoke(found, "00000000-0000-0000-0000-000000000001", argument, {})
    if outcome.error is not None:
        sys.exit(f"{outcome.error}\n{outcome.trace}")
    return time.monotonic()


def _indexed(worker: Worker, app: Path, function: str) -> str:
    return next(str(each.function_id) for each in worker.index(app) if each.name == function)


def peak_mb() -> float:
    """The most memory that was resident. Not ru_maxrss: that begins with what the starting process had."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    handled_s = asyncio.run(handle(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    facts = {"handled_s": handled_s, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": peak_mb()}
    print(json.dumps({**facts, "modules": len(sys.modules)}), flush=True)
    sys.exit(0)
