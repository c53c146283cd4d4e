#!/bin/sh
# take.sh [MODEL...]: ask Upkeep to take the models' newest shared versions over, or those of all models whose spec takes
# them from a registry in this environment. Approval and rollout are Upkeep's. After watch.sh, which gives the endpoints
# the right to read the registry. The run's name makes the command's id: a run that is repeated asks for nothing twice.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT

run=${GITHUB_RUN_ID:-${BUILD_BUILDID:-$(date +%s)}}
by=${GITHUB_ACTOR:-${BUILD_REQUESTEDFOR:-$(id -un)}}
if [ $# = 0 ]; then
  models=$(taken)
  # shellcheck disable=SC2086  # a model's name holds no space
  set -- $models
fi
[ $# -gt 0 ] || echo "no model of $UPKEEP_ENVIRONMENT is taken from a registry"
for model in "$@"; do
  again upkeep take "$model" --reason "promotion, run $run of $by" --id "run-$run-take-$model"
done
