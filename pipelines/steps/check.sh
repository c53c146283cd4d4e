#!/bin/sh
# check.sh: look for a while (UPKEEP_CHECK_MINUTES) at what the endpoints answer, and compare with the time before and
# with the thresholds. `upkeep check` shows its report with the run. No data is neither good nor bad: a warning, or with
# UPKEEP_ON_NO_DATA=fail a failure.
. "$(dirname "$0")/common.sh"

verdict=0
upkeep check ${UPKEEP_CHECK_MINUTES:+--minutes "$UPKEEP_CHECK_MINUTES"} \
  --report "$REPORTS/check.md" --junit "$REPORTS/check.xml" || verdict=$?
case $verdict in
0) ;;
3)
  [ "${UPKEEP_ON_NO_DATA:-warn}" = warn ] || failed "too few requests to judge the endpoints by"
  told warning "too few requests to judge the endpoints by: neither passed nor failed"
  ;;
*) failed "the check of the endpoints did not pass" ;;
esac
