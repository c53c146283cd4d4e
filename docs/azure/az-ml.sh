#!/bin/sh
# Train, judge, register and deploy a model by the Azure ML CLI alone, from the same YAML that Upkeep reads.
# docs/azure/az-ml.md tells it step by step, beside Upkeep's own way. Needs the Azure CLI with the extension ml, signed in.
#
#   az-ml.sh train MODEL MANIFEST_HASH    submit the job, wait for it, print its name
#   az-ml.sh validate MODEL JOB           fetch the evaluation; end with 1 unless the candidate's METRIC (mae) is better
#   az-ml.sh register MODEL JOB           register the job's model as the next version, print the version
#   az-ml.sh deploy MODEL VERSION         deploy it beside what is there, without traffic, and ask it once
#   az-ml.sh shift MODEL VERSION PCT      give it a part of the traffic; the rest stays with the version before
#   az-ml.sh rollback MODEL VERSION       give all traffic to a version again
#   az-ml.sh watch MODEL VERSION          put the folder's monitor on the version's deployment
#
# Group and workspace are those of `az configure --defaults group=… workspace=…`; what else there is, they lead to.
# Everything is called MODEL-by-hand, so that it does not meet what Upkeep itself keeps under MODEL: there can only be one
# who decides over an endpoint.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
ml() { az ml "$@" --only-show-errors; }
ask() { az "$@" --output tsv --only-show-errors; }
say() { echo "$*" >&2; }

usage() {
  sed -n '5,11s/^#   //p' "$0" >&2
  exit 2
}

# Whether something is there is asked by lists: "not found" of a `show` looks like any other failure, such as that of the
# network, and a version that is not seen would be made a second time.
newest() { # the newest registered version, or nothing
  known=$(ask ml model list --query "[?name=='$name'].name") || return
  [ -z "$known" ] || ask ml model list --name "$name" --query 'max([].to_number(version))'
}

train() { # MODEL MANIFEST_HASH
  job=$name-$(date -u +%Y%m%d%H%M%S)
  runs=azureml://datastores/upkeep_runs/paths/$1/$job
  champion=$(newest)
  set -- "$1" "$2" \
    inputs.manifest.path="azureml://datastores/upkeep_accepted/paths/$1/manifests/$2.json" \
    outputs.model.path="$runs/model" \
    outputs.evaluation.path="$runs/evaluation"
  if [ -n "$champion" ]; then
    path=$(ml model show --name "$name" --version "$champion" --query path --output tsv)
    set -- "$@" inputs.champion.path="$path" inputs.champion_version="$champion"
  fi
  shift 2
  ml job create --file "$model/train/job.yml" --name "$job" --stream --set "$@" >&2
  # --stream ends well whatever became of the job.
  status=$(ml job show --name "$job" --query status --output tsv)
  [ "$status" = Completed ] || { say "job $job: $status"; exit 1; }
  echo "$job"
}

validate() { # MODEL JOB
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  ml job download --name "$2" --output-name evaluation --download-path "$folder" >&2
  python3 - "$(find "$folder" -name evaluation.json | head -n 1)" "${METRIC:-mae}" <<'PYTHON'
import json, math, sys

found, metric = json.load(open(sys.argv[1])), sys.argv[2]
candidate, baseline = (found[who]["metrics"][metric] for who in ("candidate", "baseline"))
paired = found["paired"]
worst = None
if paired:  # as Upkeep's gates: an interval that counts days, with Student's t of 20 days or more (docs/reference/gates.md)
    mean, days = paired["mean_difference"], paired["groups"]
    groups = len(days["rows"])
    squares = sum((total - rows * mean) ** 2 for rows, total in zip(days["rows"], days["sums"]))
    error = math.sqrt(groups / (groups - 1) * squares) / sum(days["rows"]) if groups > 19 else math.inf
    worst = mean + 2.1 * error
print(f"{metric}: candidate {candidate:.3f}, baseline {baseline:.3f}", end="")
print(f", against the champion at worst {worst:+.3f}" if paired else ", no champion")
sys.exit(not (math.isfinite(candidate) and candidate < baseline and (worst is None or worst < 0)))
PYTHON
}

register() { # MODEL JOB
  before=$(newest)
  version=$((${before:-0} + 1))
  ml model create --name "$name" --version "$version" --type custom_model \
    --path "azureml://datastores/upkeep_runs/paths/$1/$2/model" --set tags.job="$2" >&2
  echo "$version"
}

equip() { # what infra/modules/endpoint.bicep gives to Upkeep's endpoints: the right to read models, and a log of requests
  endpoint=$(ask ml online-endpoint show --name "$name" --query id)
  identity=$(ask ml online-endpoint show --name "$name" --query identity.principal_id)
  account=$(ask ml datastore show --name upkeep_runs --query account_name)
  storage=$(ask storage account show --name "$account" --query id)
  insights=$(ask resource show --ids "${endpoint%/onlineEndpoints/*}" --query properties.applicationInsights)
  logs=$(ask resource show --ids "$insights" --query properties.WorkspaceResourceId)
  az role assignment create --role "Storage Blob Data Reader" --scope "$storage/blobServices/default/containers/runs" \
    --assignee-object-id "$identity" --assignee-principal-type ServicePrincipal --only-show-errors >&2
  az monitor diagnostic-settings create --name to-logs --resource "$endpoint" --workspace "$logs" --logs '[
    {"category": "AmlOnlineEndpointTrafficLog", "enabled": true},
    {"category": "AmlOnlineEndpointConsoleLog", "enabled": true},
    {"category": "AmlOnlineEndpointEventLog", "enabled": true}]' --only-show-errors >&2
}

deploy() { # MODEL VERSION
  there=$(ask ml online-endpoint list --query "[?name=='$name'].name")
  [ -n "$there" ] || ml online-endpoint create --file "$model/score/endpoint.yml" --name "$name" >&2
  # No deployment is made before the rights were given, so that they need not be given where there is one: to give them
  # takes more rights than to deploy.
  tries=1
  there=$(ask ml online-deployment list --endpoint-name "$name" --query "[?provisioning_state!='Failed'].name")
  if [ -z "$there" ]; then
    equip
    # A role is not known everywhere at once, and nothing tells when it is. A deployment that comes too early fails after
    # minutes, and is made again.
    tries=3
    sleep "${UPKEEP_RETRY_S:-60}"
  fi
  until ml online-deployment create --file "$model/score/deployment.yml" --name "v$2" --endpoint-name "$name" \
    --set model="azureml:$name:$2" >&2; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { say "v$2 could not be deployed"; exit 1; }
    say "v$2 could not be deployed; $tries more, since its endpoint's right to read models may not be known yet"
    # What failed may not be there at all, and nothing is lost if it stays.
    ml online-deployment delete --name "v$2" --endpoint-name "$name" --yes >&2 || true
    sleep "${UPKEEP_RETRY_S:-60}"
  done
  ml online-endpoint invoke --name "$name" --deployment-name "v$2" --request-file "$model/sample-request.json"
}

shift_traffic() { # MODEL VERSION PCT
  before=$(ml online-endpoint show --name "$name" --output json | python3 -c '
import json, sys
traffic = json.load(sys.stdin)["traffic"]
print(max((pct, name) for name, pct in traffic.items() if name != sys.argv[1])[1] if traffic.keys() - {sys.argv[1]} else "")
' "v$2")
  [ -n "$before" ] || [ "$3" = 100 ] || { say "the first version takes all traffic: PCT must be 100"; exit 1; }
  ml online-endpoint update --name "$name" --traffic "v$2=$3${before:+ $before=$((100 - $3))}" >&2
}

rollback() { # MODEL VERSION
  shift_traffic "$1" "$2" 100
}

watch() { # MODEL VERSION
  ml schedule create --file "$model/monitor.yml" --name "$name-monitor" \
    --set create_monitor.monitoring_target.endpoint_deployment_id="azureml:$name:v$2" >&2
}

[ $# -ge 3 ] || usage
command=$1
model=$root/models/$2
name=$2-${SUFFIX:-by-hand}
[ -f "$model/upkeep.yaml" ] || { say "there is no models/$2"; exit 1; }
shift
case $command in
train | validate | register | deploy | rollback | watch) "$command" "$@" ;;
shift) [ $# = 3 ] || usage; shift_traffic "$@" ;;
*) usage ;;
esac
