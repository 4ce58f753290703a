#!/bin/sh
# Programs are replaced beside a running instance: what is confined to the old files gives way to what knows the new ones.
. "${PNEU_TOP:-.}/tests/lib.sh"

command -v swaks >/dev/null || skip_all "no swaks"
command -v openssl >/dev/null || skip_all "no openssl"

tls() {
	swaks -s "127.0.0.1:$PORT" -tls --quit-after EHLO --silent 3
}

bounced() {
	printf 'Subject: to nobody\n\n' | pneu-inject -f you@pneu.test missing@pneu.test
	wait_for "test \$(mails you@pneu.test) = $1"
}

body() {
	programs=$TEST_TMP/bin$(id -u)
	cp -R "$PNEU_BIN" "$programs" || bail "no copy of the programs"
	PATH=$programs:$PATH PNEU_SHARE=$PNEU_TOP/package
	export PNEU_SHARE
	instance_make "$TEST_TMP/inst$(id -u)" you@pneu.test
	pneu-cert -q new 2>/dev/null
	instance_start
	ok "STARTTLS" tls
	ok "a report" bounced 1
	listener=$(service_pid in)
	for program in "$programs"/*; do cp "$program" "$program.new" && mv "$program.new" "$program"; done
	ok "STARTTLS after an upgrade, by a new listener" wait_for 'tls && again=$(service_pid in) && test "$again" != "$listener"' # the old one looks once a second
	ok "a report after an upgrade" bounced 2
	ok "and another" bounced 3
	instance_stop
}

as_both body
done_testing
