#!/bin/sh
# The two decoders of BearSSL 0.6 that write past their end, behind their fence: certificates and keys, made by openssl, that
# overflow them. tlsfeed puts the decoder at the end of a page, so that one byte too many is a signal.
. "${PNEU_TOP:-.}/tests/lib.sh"
feed=$PNEU_TESTS/tool/tlsfeed
cd "$TEST_TMP" || bail "no folder"

digits() { # BITS: a number of so many, in hexadecimal; nobody asks whether it is a product of primes
	printf 'C0'
	awk -v n="$(($1 / 8 - 2))" 'BEGIN { for (i = 0; i < n; i++) printf "%02X", (i * 37 + 11) % 256 }'
	printf '01'
}

public_key() { # BITS >PEM
	printf 'asn1=SEQUENCE:s\n[s]\na=SEQUENCE:g\nk=BITWRAP,SEQUENCE:r\n[g]\no=OID:rsaEncryption\nn=NULL\n[r]\nn=INTEGER:0x%s\ne=INTEGER:65537\n' \
		"$(digits "$1")" >asn1
	openssl asn1parse -genconf asn1 -noout -out pub.der && openssl rsa -pubin -inform DER -in pub.der 2>/dev/null
}

private_key() { # MODULUS FACTOR: bits; PKCS#1 >PEM
	{
		printf 'asn1=SEQUENCE:r\n[r]\nv=INTEGER:0\nn=INTEGER:0x%s\ne=INTEGER:65537\nd=INTEGER:0x%s\n' "$(digits "$1")" "$(digits "$1")"
		for part in p q dp dq iq; do printf '%s=INTEGER:0x%s\n' $part "$(digits "$2")"; done
	} >asn1
	openssl asn1parse -genconf asn1 -noout -out key.der
	echo "-----BEGIN RSA PRIVATE KEY-----"
	openssl base64 -in key.der
	echo "-----END RSA PRIVATE KEY-----"
}

openssl ecparam -name prime256v1 -genkey -noout -out ca.pem 2>/dev/null
certificate() { # BITS: a certificate for such a key, in DER
	public_key "$1" >pub.pem &&
		openssl x509 -new -subj /CN=large.test -days 30 -key ca.pem -force_pubkey pub.pem -outform DER -out "cert$1" 2>/dev/null
}

# ---- certificates ----
for bits in 2048 4096 4160 4168 5120 8192 16384; do
	certificate "$bits" || bail "openssl makes no certificate of $bits bits"
	for piece in 1 7 64 255 1000 100000; do
		test "$bits" -le 4096 && want='^0 rsa$' || want='none$'
		test "$bits" != 4160 || want='(rsa|none)$'
		like "$("$feed" cert "cert$bits" $piece || echo "died: $?")" "$want" "a certificate of $bits bits in pieces of $piece"
	done
done
# Damaged ones: each byte of a small one in turn.
openssl x509 -new -subj /CN=small.test -days 30 -key ca.pem -outform DER -out small 2>/dev/null
size=$(stat -c %s small) died=0 at=0
while test $at -lt "$size"; do
	{ head -c $at small; printf '\377'; tail -c +$((at + 2)) small; } >damaged
	"$feed" cert damaged 3 >/dev/null || died=$((died + 1))
	at=$((at + 3))
done
is $died 0 "damaged certificates harm nobody"

# ---- keys ----
for kind in 'EC -pkeyopt ec_paramgen_curve:P-256' 'EC -pkeyopt ec_paramgen_curve:P-384' 'EC -pkeyopt ec_paramgen_curve:P-521' \
	'RSA -pkeyopt rsa_keygen_bits:2048'; do
	# shellcheck disable=SC2086
	openssl genpkey -algorithm $kind -out key.pem 2>/dev/null
	test "${kind%% *}" = EC && want=ec || want=rsa
	is "$("$feed" key key.pem)" $want "PKCS#8: $kind"
	openssl pkey -in key.pem -traditional -out old.pem
	is "$("$feed" key old.pem)" $want "the older form"
	openssl req -x509 -new -key key.pem -subj /CN=pair.test -out pair.pem
	is "$("$feed" pair key.pem pair.pem)" yes "its certificate belongs to it"
	is "$("$feed" pair ca.pem pair.pem)" no "and to no other key"
done
openssl ecparam -name prime256v1 -genkey -out key.pem 2>/dev/null
is "$("$feed" key key.pem)" ec "with EC PARAMETERS before it"
openssl genpkey -algorithm ED25519 -out key.pem
is "$("$feed" key key.pem)" none "Ed25519 is none of ours"
openssl pkey -in ca.pem -aes128 -passout pass:x -out key.pem
is "$("$feed" key key.pem)" none "nor is one with a password"
private_key 4096 2048 >key.pem
is "$("$feed" key key.pem)" rsa "4096 bits of RSA"
private_key 8192 4096 >key.pem
is "$("$feed" key key.pem)" large "8192 are too many for a file"
private_key 4104 2048 >key.pem
is "$("$feed" key key.pem)" large "4104 too many for the decoder"
private_key 1024 4096 >key.pem
is "$("$feed" key key.pem)" large "and so are factors larger than their product"
private_key 2048 2056 >key.pem
is "$("$feed" key key.pem)" large "by a byte"
: >key.pem
is "$("$feed" key key.pem)" none "an empty file"
head -c 3000 /dev/urandom >key.pem
is "$("$feed" key key.pem)" none "noise"
done_testing
