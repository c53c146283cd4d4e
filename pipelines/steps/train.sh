#!/bin/sh
# train.sh [MODEL...]: ask Upkeep to train the models, or those whose folder publish.sh found changed and whose versions
# are not taken from a registry (take.sh). Judging and rolling out are Upkeep's, as after any other training. The run's
# name makes the command's id: a run that is repeated asks for nothing twice.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT

run=${GITHUB_RUN_ID:-${BUILD_BUILDID:-$(date +%s)}}
by=${GITHUB_ACTOR:-${BUILD_REQUESTEDFOR:-$(id -un)}}
commit=${GITHUB_SHA:-${BUILD_SOURCEVERSION:-$(git rev-parse HEAD)}}
if [ $# = 0 ]; then
  reason="commit $(echo "$commit" | cut -c 1-10) changed the model's folder"
  changed='
import json, sys
for name, made in json.load(sys.stdin).items():
    if name not in sys.argv[1:] and "publication" in {one["what"] for one in made["changes"]}:
        print(name)'
  taken=$(taken)
  # shellcheck disable=SC2046,SC2086  # a model's name holds no space
  set -- $("$PYTHON" -c "$changed" $taken <"$REPORTS/published.json")
else
  reason="asked for by $by"
fi
[ $# -gt 0 ] || echo "no model has changed: nothing to train"
for model in "$@"; do
  again upkeep retrain "$model" --reason "$reason, run $run" --id "run-$run-$model"
done
