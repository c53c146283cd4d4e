#!/bin/sh
# locks.sh [DAYS]: say what resolving the requirements*.in anew would change. Newer versions come out every day, so that
# this is a warning only once a lock is older than DAYS (30): then the tool that proposes updates is not at work.
. "$(dirname "$0")/common.sh"
days=${1:-30}

make --no-print-directory lock
if git diff --quiet -- 'requirements*.txt'; then
  echo "the locks are up to date"
  exit
fi
age_days=$((($(date +%s) - $(git log -1 --format=%ct -- 'requirements*.txt')) / 86400))
{
  echo "### Locked $age_days days ago; a lock made today would change"
  git diff --unified=0 -- 'requirements*.txt' | sed -n 's/^\([-+]\)\([A-Za-z0-9._-]*==[^ ;]*\).*/- `\1 \2`/p' | sort -u
} >"$REPORTS/locks.md"
summary "$REPORTS/locks.md"
[ "$age_days" -lt "$days" ] || told warning "the locks are $age_days days old: run make lock, or merge the updates that wait"
