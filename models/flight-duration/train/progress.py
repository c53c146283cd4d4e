"""Tells the run how far it is: printed lines for the job's log, metrics for the workspace's tracking server.

Called by train.py. On Azure ML and in the local cloud the job's environment names a tracking server and the run;
without one (a person runs train.py by hand) the lines are all there is, and MLflow is not imported.
"""

import os
import sys


class Progress:
    """Where lines and metrics of this run go."""

    def __init__(self) -> None:
        self._tracked = bool(os.environ.get("MLFLOW_TRACKING_URI"))

    def line(self, text: str) -> None:
        """One line of the job's log, at once."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def iteration(self, number: int, train_mae: float) -> None:
        """One stage of the fitting."""
        self.line(f"iteration {number}: training error {train_mae:.2f} minutes")
        self.metrics({"train_mae": train_mae}, step=number)

    def metrics(self, values: dict[str, float], step: int = 0) -> None:
        """Log the values to the run that MLFLOW_RUN_ID names, in one call."""
        if self._tracked:
            import mlflow  # type: ignore[import-not-found]  # in the job's environment; a second of import

            mlflow.log_metrics(values, step=step)
