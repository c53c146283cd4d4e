"""A small app for the tests of the Functions host: each function leaves a line that a test can look for.

Loaded by `python -m localcloud.host` in tests/integration/test_host.py, never deployed. The lines go to the
file that the app setting RECORD names, one JSON object each.
"""

import asyncio
import json
import logging
import os
import threading
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()


def record(**facts: object) -> None:
    """Append one line, in a single write, so that concurrent runs do not mix theirs."""
    descriptor = os.open(Path(os.environ["RECORD"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, (json.dumps(facts) + "\n").encode())
    finally:
        os.close(descriptor)


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="UPKEEP_STORAGE")
def work(message: func.QueueMessage) -> None:
    """Do what the message says: {"do": "record" | "fail" | "sleep", …}."""
    order = message.get_json()
    record(
        event="began",
        order=order,
        id=message.id,
        dequeue_count=message.dequeue_count,
        inserted=message.insertion_time.isoformat(),
        thread=threading.current_thread().name,
    )
    if order["do"] == "fail":
        raise ValueError("asked to fail")
    if order["do"] == "sleep":
        time.sleep(order["seconds"])
    logging.getLogger("hostapp").info("work.done")
    record(event="ended", order=order, id=message.id)


@app.queue_trigger(arg_name="message", queue_name="slow-%WORK_QUEUE%", connection="UPKEEP_STORAGE")
async def slow(message: func.QueueMessage, context: func.Context) -> None:
    """Hold the message for as long as it says, without a thread."""
    seconds = message.get_json()["seconds"]
    record(event="slow began", seconds=seconds, invocation=context.invocation_id)
    await asyncio.sleep(seconds)
    record(event="slow ended", seconds=seconds)


@app.timer_trigger(arg_name="timer", schedule="%TICK_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    """Say that the timer fired."""
    record(event="tick", past_due=timer.past_due, status=timer.schedule_status)


@app.route("echo/{name}", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Give everything back that came."""
    return func.HttpResponse(
        req.get_body(),
        status_code=int(req.params.get("status", "200")),
        mimetype=req.headers.get("content-type", "application/octet-stream"),
        headers={"x-name": req.route_params["name"], "x-query": json.dumps(dict(req.params))},
    )


@app.route("open", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def opened(req: func.HttpRequest) -> str:
    """Answer anyone."""
    return "open to all"


@app.route("secret", auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest) -> str:
    """Answer the master."""
    return "for the master"


@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> str:
    """Fail."""
    raise RuntimeError("broken on purpose")


@app.route("send", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="out", queue_name="sent", connection="UPKEEP_STORAGE")
def send(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    """Put the body on a queue that is made on demand."""
    out.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)
