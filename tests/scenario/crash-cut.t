#!/bin/sh
# The plug pulled on a real file system.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs
crash_disk
crash_case realcut "nothing lost, torn, untrue or twice"
crash_says 7 '^realcut  *R4 .* cuts .* ok$' "each program was cut off, and the whole"
done_testing
