#!/bin/sh
# Fifty odd messages byte for byte: over SMTP into a Maildir, and over a second instance that relays them.
. "${PNEU_TOP:-.}/tests/lib.sh"

odd() { /usr/bin/python3 "$PNEU_TOP/tests/tool/odd.py" "$@"; }

body() {
	far=$TEST_TMP/far$(id -u) near=$TEST_TMP/near$(id -u)
	instance_make "$far" you@far.test
	pneu-control set me mx.far.test
	there=$PORT
	instance_make "$near" you@near.test
	pneu-control set me mx.near.test
	pneu-control set rcpthosts far.test
	pneu-control set smtproutes "far.test:127.0.0.1:$there"
	instance_start "$far"
	instance_start "$near"

	instance_use "$near"
	code 0 "all are taken" odd send "$PORT" you@near.test
	many=$(sed -n 's/ messages$//p' "$TEST_TMP/.out")
	ok "there are fifty and more ($many)" test "$many" -ge 50
	ok "all are delivered" wait_for 'test "$(mails you@near.test)" = "$many"' 120
	code 0 "each as it was" odd check "$(maildir you@near.test)" || note "$(cat "$TEST_TMP/.out")"
	code 0 "all are taken for the other host" odd send "$PORT" you@far.test
	instance_use "$far"
	ok "they get there" wait_for 'test "$(mails you@far.test)" = "$many"' 120
	code 0 "each as it was, again" odd check "$(maildir you@far.test)" || note "$(cat "$TEST_TMP/.out")"
	instance_stop "$near"
	instance_stop "$far"
}

as_both body
done_testing
