#!/bin/sh
# plan.sh: what a merge would change in UPKEEP_ENVIRONMENT, as dist/reports/plan.md. Reads only: what-if is told not to
# ask for the right to write, so that the identity of pull requests needs none.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT AZURE_PRINCIPAL_ID
plan=$REPORTS/plan.md
# A comment may have 65536 characters, and there are three parts.
most=20000

# part TITLE COMMAND...: run the command, and put what it says under the title. Its failure is told, and kept.
whole=0
part() {
  title=$1 code=0
  shift
  "$@" >"$REPORTS/part.txt" 2>&1 || { code=$? whole=1; }
  {
    echo "### $title"
    [ $code = 0 ] || echo "This could not be planned (exit code $code):"
    echo '```'
    # A fence inside would end ours.
    head -c $most "$REPORTS/part.txt" | sed 's/```/` ` `/g'
    [ "$(wc -c <"$REPORTS/part.txt")" -le $most ] || printf '\n… cut here; the log of the run has all of it.'
    printf '\n```\n'
  } >>"$plan"
  cat "$REPORTS/part.txt"
}

# deployed: a deployment that planning can ask for its settings. A list tells "none" from "may not look".
deployed() {
  az deployment sub list --only-show-errors --output tsv \
    --query "[?name=='upkeep-$UPKEEP_ENVIRONMENT' && properties.provisioningState=='Succeeded'].name"
}

# later TEXT: why models and rules are not planned. No failure: there is nothing that anybody has to mend.
later() {
  printf '### %s\n%s\n' "$models" "$1" | tee -a "$plan"
}

unplanned() {
  cat "$asked"
  return 1
}

echo "## What a merge would change in $UPKEEP_ENVIRONMENT" >"$plan"
part "Infrastructure" az deployment sub what-if --only-show-errors \
  --name "upkeep-$UPKEEP_ENVIRONMENT-plan" \
  --location "$(region)" \
  --template-file infra/main.bicep \
  --parameters "$(parameters_file)" principalId="$AZURE_PRINCIPAL_ID" \
  --validation-level ProviderNoRbac
asked=$REPORTS/asked.txt models="Models and their rules"
if ! found=$(deployed 2>"$asked"); then
  part "$models" unplanned
elif [ -z "$found" ]; then
  later "$UPKEEP_ENVIRONMENT is not there, or its last deployment did not succeed: they are planned once one has."
elif pipelines/steps/connect.sh >"$asked" 2>&1; then
  part "Models" upkeep publish --dry-run
  part "Rules and rights of the models" "$PYTHON" -m infra.hooks.models --environment "$UPKEEP_ENVIRONMENT" --what-if
elif grep -q "has no output" "$asked"; then
  later "$UPKEEP_ENVIRONMENT was deployed before main.bicep had all its outputs of today: they are planned after a merge."
else
  part "$models" unplanned
fi
exit $whole
