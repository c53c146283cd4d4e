#!/bin/sh
# publish.sh: register every model's code and environments, make its endpoint, publish its spec. The same content again
# writes nothing. What was written stands in dist/reports/published.json, from which train.sh knows what changed.
. "$(dirname "$0")/common.sh"

upkeep publish --json >"$REPORTS/published.json"
cat "$REPORTS/published.json"
