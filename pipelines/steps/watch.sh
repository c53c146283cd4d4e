#!/bin/sh
# watch.sh: wait for the endpoints that publishing makes, and deploy infra/models.bicep: their rights, logs and alert
# rules. After deploy.sh and publish.sh, because the template reads the app's function key and names the endpoints.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT

again "$PYTHON" -m infra.hooks.models --environment "$UPKEEP_ENVIRONMENT"
