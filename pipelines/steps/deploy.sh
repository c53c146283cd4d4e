#!/bin/sh
# deploy.sh: put the package that was built once (the only zip in dist/) into the function app, after a look at its
# checksum. It is taken as it is; only for one built with --without-dependencies, which says so by its name, the app
# installs requirements.txt, which is locked by hashes.
. "$(dirname "$0")/common.sh"
need UPKEEP_ENVIRONMENT

set -- dist/upkeep-*.zip
[ $# = 1 ] && [ -f "$1" ] || failed "dist/ must hold exactly one package, and holds: $*"
(cd dist && sha256sum --check "$(basename "$1").sha256") || failed "$1 is not what was built"
case $1 in
*-without-dependencies.zip) remote=true ;;
*) remote=false ;;
esac
again az functionapp deployment source config-zip --only-show-errors --output none \
  --resource-group "$(setting UPKEEP_RESOURCE_GROUP)" --name "$(setting UPKEEP_APP_NAME)" \
  --src "$1" --build-remote "$remote"
