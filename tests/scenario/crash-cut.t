#!/bin/sh
# The plug pulled on a real file system.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs
crash_disk
crash_case realcut "nothing lost, torn, untrue or twice"
wanted=7
test -z "$(command -v mkfs.xfs)" || wanted=8
crash_says "$wanted" '^realcut  *R4 .* cuts .* ok$' "each program was cut off, and the whole"
done_testing
