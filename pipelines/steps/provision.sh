#!/bin/sh
# provision.sh: deploy infra/main.bicep to UPKEEP_ENVIRONMENT, and keep its outputs as settings of the steps to come.
# Nothing changes where nothing differs. Needs AZURE_PRINCIPAL_ID, the object id of who runs this.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT AZURE_PRINCIPAL_ID

again az deployment sub create --only-show-errors --output none \
  --name "upkeep-$UPKEEP_ENVIRONMENT" \
  --location "$(region)" \
  --template-file infra/main.bicep \
  --parameters "$(parameters_file)" principalId="$AZURE_PRINCIPAL_ID"
pipelines/steps/connect.sh
