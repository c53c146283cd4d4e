"""The timer: the net under all other triggers. It finds uploads and due schedules that nothing told of."""

import azure.functions as func

from shared import bootstrap
from shared.reconcile.sweep import sweep as sweep_models
from shared.triggers.binding import new_blueprint

blueprint = new_blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%UPKEEP_SWEEP_SCHEDULE%")
def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host hands it over by this name
    """Look at every model and at the landing container. Trouble with one must not keep the other waiting."""
    app = bootstrap.app()
    try:
        app.intake.sweep()
    finally:
        sweep_models(app.state, app.inbox, app.nudges, app.clock)
