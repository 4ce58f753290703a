#!/bin/sh
# Each daemon is killed at random moments under load.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs shuf
crash_case kill "nothing lost, nothing twice"
done_testing
