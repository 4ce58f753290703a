#!/bin/sh
# The plug is pulled while a hundred deliveries are under way, once.
. "${PNEU_TOP:-.}/tests/lib.sh"
. "$PNEU_TOP/tests/crash.sh"

crash_needs
crash_disk
crash_case flight "nothing is lost, nothing is twice in the mailbox"
done_testing
