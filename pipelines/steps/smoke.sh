#!/bin/sh
# smoke.sh: the app that was deployed answers, reads its state, and takes our key.
. "$(dirname "$0")/common.sh"

again upkeep status || failed "the app does not answer: nothing is published to it"
