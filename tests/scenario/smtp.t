#!/bin/sh
# The dialogues of tests/smtp, each against a pneu-smtpd of its own.
exec "${PNEU_TESTS:-build/static/tests}/tool/talk" "${PNEU_TOP:-.}"/tests/smtp/*.smtp
