/* The vectors are the RFCs' and, where these give none, what Python's hashlib and hmac compute. */

#include "lib/secret.h"

#include <stdio.h>
#include <string.h>

#include "lib/base64.h"
#include "tests/tap.h"

static int
is_hex(unsigned char const *s, size_t len, char const *hex)
{
    char text[129];

    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", s[i]);
    return !strcmp(text, hex);
}

static struct bytes
text(char const *s)
{
    return (struct bytes){s, strlen(s)};
}

static void
scram_keys(void)
{
    struct secret_scram k;
    char x[71], s[41], salt[16];

    secret_scram(&k, text("pencil"), text("salt"), 1);
    ok(is_hex(k.stored, 32, "3ad93991d9c0a3fe940d4726d0a68efae11279df381552c5ed083837dbf53110") &&
           is_hex(k.server, 32, "51ce030dc411379589e3878d8b228f10ef8c26f568f3851caf8588f678b1cfad"),
       "one round");
    for (unsigned int i = 0; i < 16; i++)
        salt[i] = (char)i;
    secret_scram(&k, text("p\xc3\xa9ncil"), (struct bytes){salt, 16}, 3);
    ok(is_hex(k.stored, 32, "4aa41c7e351232f3f9ef373845444bb32e71efe54d8cedd14353a251139bec2a") &&
           is_hex(k.server, 32, "7c57ddf5e8c9f32fa595aea353f0a9e168c9db3347aac6f7d95ba1d592e57be2"),
       "three rounds, a salt with NUL");
    snprintf(x, sizeof x, "%070d", 0);
    memset(x, 'x', 70);
    memset(s, 's', 40);
    s[40] = 0;
    secret_scram(&k, text(x), text(s), 4096);
    ok(is_hex(k.stored, 32, "6d38370368d71c9bed5bbd08ceeb7d78a32129dd353a3b2019c835720cfd337d") &&
           is_hex(k.server, 32, "a869fe6eec3b5f65095eb7f411d474032cd6af49b56b6e558a0a4c089a4305bb"),
       "4096 rounds, a password longer than a block");
}

/* RFC 7677 section 3. */
static void
scram_dialogue(void)
{
    static char const said[] = "n=user,r=rOprNGfwEbeRWgbNEkqO,"
                               "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
                               "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    char proof[BASE64_DECODED(44)], salt[BASE64_DECODED(24)], v[44];
    struct secret_scram k;
    unsigned char signature[32];

    base64_decode(salt, "W22ZaJ0SNY7soEsUEjb6gQ==", 24);
    base64_decode(proof, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", 44);
    secret_scram(&k, text("pencil"), (struct bytes){salt, 16}, 4096);
    ok(secret_scram_proves(&k, text(said), (unsigned char *)proof), "RFC 7677's proof");
    secret_scram_sign(&k, text(said), signature);
    base64_encode(v, (char *)signature, 32);
    ok(!memcmp(v, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", 44), "RFC 7677's signature");
    proof[31] ^= 1;
    ok(!secret_scram_proves(&k, text(said), (unsigned char *)proof), "another proof");
    proof[31] ^= 1;
    ok(!secret_scram_proves(&k, text("n=user"), (unsigned char *)proof), "the proof of another text");
    secret_scram(&k, text("pencil2"), (struct bytes){salt, 16}, 4096);
    ok(!secret_scram_proves(&k, text(said), (unsigned char *)proof), "another password");
}

static void
cram(void)
{
    struct secret_cram states;
    unsigned char digest[16];
    char k[101];

    secret_cram(&states, text("tanstaaftanstaaf"));
    secret_cram_digest(&states, text("<1896.697170952@postoffice.reston.mci.net>"), digest);
    ok(is_hex(digest, 16, "b913a602c7eda7a495b4e6e7334d3890"), "RFC 2195's digest");
    memset(k, 'k', 100);
    k[100] = 0;
    secret_cram(&states, text(k));
    secret_cram_digest(&states, text("<1.2@host>"), digest);
    ok(is_hex(digest, 16, "896878fcf8b29e6f19088d8915c2a43c"), "a password longer than a block");
    secret_cram(&states, text(""));
    secret_cram_digest(&states, text(""), digest);
    ok(is_hex(digest, 16, "74e6f7298a9c2d168935f58c001bad88"), "nothing at all");
}

int
main(void)
{
    unsigned char out[32];

    scram_keys();
    scram_dialogue();
    cram();
    secret_hmac(out, text("key"), text("text"));
    ok(is_hex(out, 32, "6afa9046a9579cad143a384c1b564b9a250d27d6f6a63f9f20bf3a7594c9e2c6"), "HMAC-SHA-256");
    ok(secret_same("abc", "abc", 3) && !secret_same("abc", "abd", 3) && secret_same("a", "b", 0), "the same or not");
    return tap_done();
}
