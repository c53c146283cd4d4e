#!/bin/sh
# types.sh DIR [REPOSITORY COMMIT]: fetch the published types of Azure's resources into DIR/generated, those API versions
# alone that infra/ uses, for UPKEEP_BICEP_TYPES=DIR/generated make check-infra. The commit is pinned: a type that changes
# upstream must not fail a build that changed nothing. To move it: choose a newer one, and run make check-infra.
set -eu
repository=${2:-https://github.com/Azure/bicep-types-az.git}
commit=${3:-1f896de2db966ad91e8f7d7d981e11d32e4f5d8d}

mkdir -p "$1"
git -C "$1" init --quiet
git -C "$1" remote add types "$repository" 2>/dev/null || git -C "$1" remote set-url types "$repository"
# Without the files of everything else, which are gigabytes; those that are wanted come with the checkout.
git -C "$1" fetch --quiet --depth 1 --filter blob:none types "$commit"
# 'Microsoft.Web/sites@2024-04-01' lies in generated/GROUP/microsoft.web/2024-04-01/types.json.
grep -rhoE "'Microsoft\.[A-Za-z]+/[^@' ]+@[0-9a-z-]+'" infra --include '*.bicep' | tr 'A-Z' 'a-z' |
  sed "s|^'\([^/]*\)/.*@\(.*\)'|/generated/*/\1/\2/types.json|" | sort -u |
  git -C "$1" sparse-checkout set --no-cone --stdin
git -C "$1" checkout --quiet FETCH_HEAD
echo "$(find "$1/generated" -name types.json | wc -l) files of types in $1/generated"
