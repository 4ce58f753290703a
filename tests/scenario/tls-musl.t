#!/bin/sh
# The programs that ./do build musl made, if it has been called here: mail comes in under STARTTLS, through both sandboxes.
musl=${PNEU_TOP:-$(pwd)}/build/musl/bin
test ! -x "$musl/pneu-tlsd" || PNEU_BIN=$musl
. "${PNEU_TOP:-.}/tests/lib.sh"
test -x "$musl/pneu-tlsd" || skip_all "./do build musl makes them"

home=$TEST_TMP/instance
instance_make "$home" you@pneu.test
pneu-cert -q new mx.pneu.test
instance_start
wait_for "s6-ipcclient '$home/run/key' true 2>/dev/null"
ok "STARTTLS" timeout 120 swaks --server 127.0.0.1 -p "$PORT" -tls --to you@pneu.test --from me@else.test
wait_for 'test "$(mails you@pneu.test)" = 1'
like "$(mail_of you@pneu.test)" 'with ESMTPS \(TLSv1\.2 ECDHE-ECDSA-' "the mail has come in under TLS"
at_once=$(free_port)
pneu-server -q add secure submissions 127.0.0.1 "$at_once"
wait_for "listening $at_once"
like "$(printf 'EHLO x\r\nQUIT\r\n' | timeout 60 openssl s_client -quiet -connect "127.0.0.1:$at_once" 2>/dev/null)" '^221 ' "and TLS at once"
instance_stop
done_testing
