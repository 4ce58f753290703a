#!/bin/sh
# ./do on a machine where packages are missing: root installs them, anybody else is told the line that does.
. "${PNEU_TOP:-.}/tests/lib.sh"

# A machine with nothing but gcc: what would ask and install only writes down what it was asked.
fake=$TEST_TMP/fake
mkdir "$fake"
cat >"$fake/dpkg-query" <<'FAKE'
#!/bin/sh
for package; do :; done
if test "$package" = gcc; then echo install ok installed; else exit 1; fi
FAKE
cat >"$fake/apt-get" <<FAKE
#!/bin/sh
echo "\$*" >>"$TEST_TMP/asked"
FAKE
chmod 755 "$fake" "$fake"/*
chmod 755 "$TEST_TMP"

code 100 "a user cannot install packages" as_user env PATH="$fake:$PATH" sh "$PNEU_TOP/do" deps
line=$(grep apt-get "$TEST_TMP/.out")
like "$line" '^ +apt-get install -y --no-install-recommends .*skalibs-dev.* s6 ' "and is told the line that does"
is "$(printf '%s\n' "$line" | grep -cw gcc)" 0 "without what is there"
is "$(printf '%s\n' "$line" | grep -cw swaks)" 0 "and without what only the tests need"
code 100 "the tests need more" as_user env PATH="$fake:$PATH" sh "$PNEU_TOP/do" deps tests
like "$(cat "$TEST_TMP/.out")" ' swaks( |$)' "swaks, for one"
is "$(cat "$TEST_TMP/asked" 2>/dev/null)" "" "nothing was installed"
if test "$(id -u)" = 0 && test -e /usr/sbin/policy-rc.d; then
	code 0 "root installs them" env PATH="$fake:$PATH" sh "$PNEU_TOP/do" deps
	like "$(cat "$TEST_TMP/asked")" 'install .*skalibs-dev' "by apt-get"
	ok "a policy that was there stays" test -e /usr/sbin/policy-rc.d
fi
done_testing
