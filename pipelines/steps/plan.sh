#!/bin/sh
# plan.sh: what a merge would change in UPKEEP_ENVIRONMENT, as dist/reports/plan.md. Reads only: what-if is told not to
# ask for the right to write, so that the identity of pull requests needs none.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT AZURE_PRINCIPAL_ID
plan=$REPORTS/plan.md
# A comment may have 65536 characters.
most=28000

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

planned_models() {
  pipelines/steps/connect.sh && upkeep publish --dry-run
}

echo "## What a merge would change in $UPKEEP_ENVIRONMENT" >"$plan"
part "Infrastructure" az deployment sub what-if --only-show-errors \
  --name "upkeep-$UPKEEP_ENVIRONMENT-plan" \
  --location "$(region)" \
  --template-file infra/main.bicep \
  --parameters "$(parameters_file)" principalId="$AZURE_PRINCIPAL_ID" \
  --validation-level ProviderNoRbac
part "Models" planned_models
exit $whole
