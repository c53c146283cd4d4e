"""Builds the app once a process: settings, adapters, and the parts that work through them.

Called by the triggers at their first invocation and by the command line. Building opens no connection, and
imports neither azure.ai.ml nor pyarrow: their adapters do, when they are first used.
"""

import os
import socket
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from shared import telemetry
from shared.adapters.azureml import AzureMl
from shared.adapters.blob_archive import BlobArchive
from shared.adapters.clock import SystemClock
from shared.adapters.credentials import credential
from shared.adapters.landing import BlobLanding
from shared.adapters.ledger import TableLedger
from shared.adapters.queue_nudges import QueueNudges
from shared.adapters.table_state import TableState
from shared.adapters.traffic_log import EndpointTrafficLog
from shared.adapters.uploads_queue import QueueUploads
from shared.intake.intake import Intake
from shared.reconcile.inbox import Inbox
from shared.reconcile.loop import Reconciler
from shared.reconcile.ports import Archive, Clock, Nudges, Platform, StateStore, TrafficLog
from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything that a trigger or a command may need."""

    settings: Settings
    state: StateStore
    archive: Archive
    platform: Platform
    log: TrafficLog
    nudges: Nudges
    clock: Clock
    inbox: Inbox
    reconciler: Reconciler
    intake: Intake


@cache
def app() -> App:
    """The app of this process, from its environment. BadInput tells every setting that is missing or wrong."""
    telemetry.start()
    return build(Settings.of(os.environ))


def build(settings: Settings) -> App:
    """An app with these settings."""
    identity = credential()
    state = TableState(settings.table_service, identity)
    archive = BlobArchive(settings.blob_service, identity)
    platform = AzureMl(settings.subscription_id, settings.resource_group, settings.workspace, identity)
    log = EndpointTrafficLog(settings.log_workspace_id, settings.workspace, settings.logs_endpoint, identity)
    nudges = QueueNudges(settings.queue_service, identity)
    clock = SystemClock()
    inbox = Inbox(state, nudges, clock)
    return App(
        settings=settings,
        state=state,
        archive=archive,
        platform=platform,
        log=log,
        nudges=nudges,
        clock=clock,
        inbox=inbox,
        reconciler=Reconciler(state, archive, platform, log, nudges, clock, owner=_worker()),
        intake=Intake(
            state=state,
            archive=archive,
            landing=BlobLanding(settings.blob_service, identity),
            ledger=TableLedger(settings.table_service, identity),
            uploads=QueueUploads(settings.queue_service, identity),
            inbox=inbox,
            clock=clock,
        ),
    )


def _worker() -> str:
    """A name for this process in leases: readable, and never that of another."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
