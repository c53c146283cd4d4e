# shellcheck shell=sh
# What the steps share. Sourced by each of them, never run. Whatever a pipeline does beyond `make` and its own system's
# tasks is such a step, called alike by GitHub Actions, by Azure Pipelines and by a person: docs/guide/pipelines.md.
set -eu
cd "$(dirname "$0")/../.."

UPKEEP_ENV_FILE=${UPKEEP_ENV_FILE:-.azure/${UPKEEP_ENVIRONMENT:-dev}/upkeep.env}
REPORTS=${UPKEEP_REPORTS:-dist/reports}
PYTHON=.venv/bin/python
# Exactly one credential is tried: the sign-in that azure/login or AzureCLI@2 made, or `az login` of a person.
AZURE_TOKEN_CREDENTIALS=${AZURE_TOKEN_CREDENTIALS:-AzureCliCredential}
# Reports are read in a browser, where colours are rubbish.
AZURE_CORE_NO_COLOR=true NO_COLOR=1
export UPKEEP_ENV_FILE AZURE_TOKEN_CREDENTIALS AZURE_CORE_NO_COLOR NO_COLOR
mkdir -p "$REPORTS"
# The log of the run, also where a command's output is caught: Azure Pipelines listens to standard output only.
exec 3>&1

# told LEVEL TEXT: an annotation of the run. LEVEL is warning or error.
told() {
  if [ -n "${GITHUB_ACTIONS:-}" ]; then
    echo "::$1::$2" >&3
  elif [ -n "${TF_BUILD:-}" ]; then
    echo "##vso[task.logissue type=$1]$2" >&3
  else
    echo "$1: $2" >&2
  fi
}

# failed TEXT: say why, and end.
failed() {
  told error "$1"
  exit 1
}

# need NAME...: end with one sentence for each variable that is not set.
need() {
  missing=
  for name in "$@"; do
    eval "value=\${$name:-}"
    # shellcheck disable=SC2154  # set by eval
    [ -n "$value" ] || { told error "$name is not set: docs/guide/pipelines.md says what it is"; missing=1; }
  done
  [ -z "$missing" ] || exit 1
}

# summary FILE: show a Markdown file where the run is looked at.
summary() {
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    cat "$1" >>"$GITHUB_STEP_SUMMARY"
  elif [ -n "${TF_BUILD:-}" ]; then
    echo "##vso[task.uploadsummary]$(realpath "$1")"
  fi
  cat "$1"
}

# masked TEXT: keep a secret that was fetched out of the log, should anything ever print it.
masked() {
  if [ -n "${GITHUB_ACTIONS:-}" ]; then
    echo "::add-mask::$1"
  elif [ -n "${TF_BUILD:-}" ]; then
    echo "##vso[task.setsecret]$1"
  fi
}

# again COMMAND...: three tries, UPKEEP_RETRY_S seconds apart. A role given a minute ago is not yet known everywhere, and a new app takes its time.
again() {
  for try in 1 2 3; do
    "$@" && return
    [ "$try" = 3 ] || { told warning "try $try of 3 failed: $1 $2"; sleep "${UPKEEP_RETRY_S:-60}"; }
  done
  return 1
}

upkeep() {
  .venv/bin/upkeep "$@" --env-file "$UPKEEP_ENV_FILE"
}

# taken: the models of models/ whose versions come from a registry in UPKEEP_ENVIRONMENT, so that nothing trains them there.
taken() {
  upkeep validate --json | "$PYTHON" -c '
import json, os, sys
print(*(one["model"] for one in json.load(sys.stdin) if os.environ["UPKEEP_ENVIRONMENT"] in one["takes"]))'
}

# setting NAME: a value from the file of settings.
setting() {
  sed -n "s/^$1=//p" "$UPKEEP_ENV_FILE"
}

# parameters_file: that of the environment; region: the one it names, since a deployment wants it apart as well.
parameters_file() {
  echo "infra/environments/$UPKEEP_ENVIRONMENT.parameters.json"
}

region() {
  "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["parameters"]["location"]["value"])' <"$(parameters_file)"
}
