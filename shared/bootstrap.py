"""Builds the app once a process: settings, adapters, and the parts that work through them.

Called by the triggers at their first invocation and by the command line. Building opens no connection. Each part is
imported and built when it is first asked for: a process that only records an event, the most common one, pays for
neither the reconciler nor the intake. azure.ai.ml and pyarrow are imported later still, by their adapters' first
call.
"""

import os
import socket
from functools import cache, cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from shared import telemetry
from shared.adapters.clock import SystemClock
from shared.reconcile.inbox import Inbox
from shared.reconcile.ports import Archive, Clock, Nudges, Platform, StateStore, TrafficLog
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.intake.intake import Intake
    from shared.reconcile.loop import Reconciler


class App:
    """Everything that a trigger or a command may need."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()

    @cached_property
    def state(self) -> StateStore:
        """Models, records and inboxes."""
        from shared.adapters.table_state import TableState

        return TableState(self.settings.table_service, self._identity)

    @cached_property
    def nudges(self) -> Nudges:
        """The queue that wakes the reconciler."""
        from shared.adapters.queue_nudges import QueueNudges

        return QueueNudges(self.settings.queue_service, self._identity)

    @cached_property
    def inbox(self) -> Inbox:
        """Where triggers record events."""
        return Inbox(self.state, self.nudges, self.clock)

    @cached_property
    def archive(self) -> Archive:
        """Publications, and the inputs of decisions."""
        from shared.adapters.blob_archive import BlobArchive

        return BlobArchive(self.settings.blob_service, self._identity)

    @cached_property
    def platform(self) -> Platform:
        """The Azure ML workspace."""
        from shared.adapters.azureml import AzureMl

        settings = self.settings
        return AzureMl(
            settings.subscription_id,
            settings.resource_group,
            settings.workspace,
            self._identity,
            settings.collected_data,
        )

    @cached_property
    def log(self) -> TrafficLog:
        """What the endpoints answered."""
        from shared.adapters.traffic_log import EndpointTrafficLog

        settings = self.settings
        return EndpointTrafficLog(
            settings.log_workspace_id, settings.workspace, settings.logs_endpoint, self._identity
        )

    @cached_property
    def reconciler(self) -> "Reconciler":
        """Looks at one model and does what is due."""
        from shared.reconcile.loop import Reconciler

        return Reconciler(self.state, self.archive, self.platform, self.log, self.nudges, self.clock, owner=_worker())

    @cached_property
    def intake(self) -> "Intake":
        """Takes uploads in."""
        from shared.adapters.landing import BlobLanding
        from shared.adapters.ledger import TableLedger
        from shared.adapters.uploads_queue import QueueUploads
        from shared.intake.intake import Intake

        return Intake(
            state=self.state,
            archive=self.archive,
            landing=BlobLanding(self.settings.blob_service, self._identity),
            ledger=TableLedger(self.settings.table_service, self._identity),
            uploads=QueueUploads(self.settings.queue_service, self._identity),
            inbox=self.inbox,
            clock=self.clock,
        )

    @cached_property
    def _identity(self) -> "TokenCredential":
        from shared.adapters.credentials import credential

        return credential()


@cache
def app() -> App:
    """The app of this process, from its environment. BadInput tells every setting that is missing or wrong."""
    telemetry.start()
    return build(Settings.of(os.environ))


def build(settings: Settings) -> App:
    """An app with these settings."""
    return App(settings)


def _worker() -> str:
    """A name for this process in leases: readable, and never that of another."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
