#!/bin/sh
# connect.sh [--key]: write the settings of UPKEEP_ENVIRONMENT's deployment to .azure/ENVIRONMENT/upkeep.env, for
# `upkeep`. With --key the function key too: it is fetched when it is needed, so that no pipeline keeps it as a secret.
# Without it the app's address is left out, which leads nowhere without a key.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT

"$PYTHON" -m infra.hooks.environment --environment "$UPKEEP_ENVIRONMENT" --deployment "upkeep-$UPKEEP_ENVIRONMENT"
if [ "${1:-}" = --key ]; then
  key=$(again az functionapp keys list --only-show-errors --query functionKeys.default --output tsv \
    --resource-group "$(setting UPKEEP_RESOURCE_GROUP)" --name "$(setting UPKEEP_APP_NAME)")
  [ -n "$key" ] || failed "the function app has no function key yet: was code deployed to it?"
  masked "$key"
  sed -i '/^UPKEEP_APP_KEY=/d' "$UPKEEP_ENV_FILE"
  echo "UPKEEP_APP_KEY=$key" >>"$UPKEEP_ENV_FILE"
else
  sed -i '/^UPKEEP_APP_URL=/d' "$UPKEEP_ENV_FILE"
fi
