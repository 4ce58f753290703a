#include "lib/sasl.h"

#include <string.h>

#include "tests/tap.h"

static struct bytes
text(char const *s)
{
    return (struct bytes){s, strlen(s)};
}

static int
says(struct bytes b, char const *s)
{
    return b.len == strlen(s) && !memcmp(b.s, s, b.len);
}

static void
names(void)
{
    ok(sasl_named("PLAIN", 5) == SASL_PLAIN && sasl_named("login", 5) == SASL_LOGIN, "PLAIN, login");
    ok(sasl_named("Scram-Sha-256", 13) == SASL_SCRAM_SHA_256 && sasl_named("CRAM-MD5", 8) == SASL_CRAM_MD5,
       "the others");
    ok(sasl_named("PLAI", 4) == SASL_count && sasl_named("PLAINS", 6) == SASL_count && sasl_named("", 0) == SASL_count,
       "no others");
    unsigned int m;
    ok(sasl_list(" plain\tSCRAM-SHA-256  LOGIN ", &m) &&
           m == (1u << SASL_PLAIN | 1u << SASL_LOGIN | 1u << SASL_SCRAM_SHA_256),
       "a list");
    ok(sasl_list("", &m) && !m && !sasl_list("PLAIN, LOGIN", &m), "an empty and a malformed one");
}

#define PLAIN(s)                                                                                                       \
    {                                                                                                                  \
        s, sizeof s - 1                                                                                                \
    }

static struct {
    struct bytes message;
    int good;
    char const *authzid, *login, *password;
} const plains[] = {
    {PLAIN("\0tim\0tanstaaftanstaaf"), 1, "", "tim", "tanstaaftanstaaf"},
    {PLAIN("Ursel\0Kurt\0xipj3plmq"), 1, "Ursel", "Kurt", "xipj3plmq"},
    {PLAIN("\0a@b.test\0a b:c\xc3\xa9"), 1, "", "a@b.test", "a b:c\xc3\xa9"},
    {PLAIN("\0\0x"), 0, 0, 0, 0},
    {PLAIN("\0tim\0"), 0, 0, 0, 0},
    {PLAIN("\0tim"), 0, 0, 0, 0},
    {PLAIN("tim"), 0, 0, 0, 0},
    {PLAIN(""), 0, 0, 0, 0},
    {PLAIN("\0tim\0a\0b"), 0, 0, 0, 0},
    {PLAIN("\0ti\nm\0a"), 0, 0, 0, 0},
    {PLAIN("\0ti:m\0a"), 0, 0, 0, 0},
    {PLAIN("\0ti m\0a"), 0, 0, 0, 0},
    {PLAIN("a\nb\0tim\0a"), 0, 0, 0, 0},
};

static void
plain(void)
{
    for (unsigned int i = 0; i < sizeof plains / sizeof *plains; i++) {
        struct bytes a, l, p;
        int got = sasl_plain(plains[i].message, &a, &l, &p);
        ok(got == plains[i].good &&
               (!got || (says(a, plains[i].authzid) && says(l, plains[i].login) && says(p, plains[i].password))),
           "PLAIN %u", i);
    }
    char long_[2 * SASL_NAME_MAX + 8];
    struct bytes a, l, p;
    for (unsigned int n = SASL_NAME_MAX; n <= SASL_NAME_MAX + 1; n++) {
        memset(long_, 'x', sizeof long_);
        long_[0] = long_[n + 1] = 0;
        ok(sasl_plain((struct bytes){long_, n + 3}, &a, &l, &p) == (n == SASL_NAME_MAX), "a login of %u bytes", n);
        memset(long_, 'x', sizeof long_);
        long_[0] = long_[2] = 0;
        ok(sasl_plain((struct bytes){long_, n + 3}, &a, &l, &p) == (n == SASL_PASSWORD_MAX), "a password of %u", n);
    }
}

static void
cram(void)
{
    static char const *const malformed[] = {
        "",
        "tim",
        "b913a602c7eda7a495b4e6e7334d3890",
        " b913a602c7eda7a495b4e6e7334d3890",
        "tim b913a602c7eda7a495b4e6e7334d389",
        "tim B913A602C7EDA7A495B4E6E7334D3890",
        "timb913a602c7eda7a495b4e6e7334d38901",
        "tim b913a602c7eda7a495b4e6e7334d389g",
        "tim x b913a602c7eda7a495b4e6e7334d3890",
    };
    struct bytes login;
    unsigned char digest[16];

    ok(sasl_cram(text("tim b913a602c7eda7a495b4e6e7334d3890"), &login, digest) == 1 && says(login, "tim") &&
           digest[0] == 0xb9 && digest[15] == 0x90,
       "RFC 2195's answer");
    for (unsigned int i = 0; i < sizeof malformed / sizeof *malformed; i++)
        ok(!sasl_cram(text(malformed[i]), &login, digest), "CRAM-MD5 malformed %u", i);
}

static struct {
    char const *message;
    int good;
    char const *gs2, *authzid, *login, *nonce;
} const firsts[] = {
    {"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", 1, "n,,", "", "user", "rOprNGfwEbeRWgbNEkqO"},
    {"y,,n=user,r=a", 1, "y,,", "", "user", "a"},
    {"n,a=boss,n=user,r=a", 1, "n,a=boss,", "boss", "user", "a"},
    {"n,,n=u=2Cs=3D,r=a!b", 1, "n,,", "", "u=2Cs=3D", "a!b"},
    {"n,,n=user,r=a,x=ext", 1, "n,,", "", "user", "a"},
    {"n,,n=user,r=a,", 0, 0, 0, 0, 0},
    {"n,,n=user,r=a,x=", 0, 0, 0, 0, 0},
    {"n,,n=user,r=a,x=y,", 0, 0, 0, 0, 0},
    {"n,,n=user,r=", 0, 0, 0, 0, 0},
    {"n,,n=user", 0, 0, 0, 0, 0},
    {"n,,n=,r=a", 0, 0, 0, 0, 0},
    {"n,,m=x,n=user,r=a", 0, 0, 0, 0, 0},
    {"p=tls-unique,,n=user,r=a", 0, 0, 0, 0, 0},
    {"p,,n=user,r=a", 0, 0, 0, 0, 0},
    {"n,a=,n=user,r=a", 0, 0, 0, 0, 0},
    {"n,b=x,n=user,r=a", 0, 0, 0, 0, 0},
    {"n,n=user,r=a", 0, 0, 0, 0, 0},
    {"n=user,r=a", 0, 0, 0, 0, 0},
    {"nn,,n=user,r=a", 0, 0, 0, 0, 0},
    {",,n=user,r=a", 0, 0, 0, 0, 0},
    {"n,,n=user,r=a\x01", 0, 0, 0, 0, 0},
    {"n,,n=user,r=a b", 0, 0, 0, 0, 0},
    {"", 0, 0, 0, 0, 0},
    {"n,,", 0, 0, 0, 0, 0},
};

static struct {
    char const *name, *plain; /* NULL: malformed */
} const escapes[] = {
    {"user", "user"}, {"u=2Cs=3D", "u,s="}, {"=2C=2C", ",,"}, {"=3D", "="}, {"=", 0},   {"=2", 0},  {"=3", 0},
    {"=2c", 0},       {"=2D", 0},           {"=3C", 0},       {"a=b", 0},   {"a b", 0}, {"a:b", 0}, {"", 0},
};

static void
scram(void)
{
    static char const nonce[] = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    static char const proof[] = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    char message[600];
    struct sasl_final f;

    for (unsigned int i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        struct sasl_first first;
        int got = sasl_scram_first(text(firsts[i].message), &first);
        ok(got == firsts[i].good &&
               (!got || (says(first.gs2, firsts[i].gs2) && says(first.authzid, firsts[i].authzid) &&
                         says(first.login, firsts[i].login) && says(first.nonce, firsts[i].nonce) &&
                         says(first.bare, firsts[i].message + first.gs2.len))),
           "SCRAM's first message %u", i);
    }
    for (unsigned int i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        char out[SASL_NAME_MAX];
        size_t len = sasl_scram_name(out, text(escapes[i].name));
        ok(escapes[i].plain ? says((struct bytes){out, len}, escapes[i].plain) : !len, "the name %s", escapes[i].name);
    }
    snprintf(message, sizeof message, "c=biws,r=%s,p=%s", nonce, proof);
    ok(sasl_scram_final(text(message), &f) == 1 && says(f.binding, "biws") && says(f.nonce, nonce) &&
           f.proof[0] == 0x74 && f.proof[31] == 0x54 && f.unproven.len == strlen(message) - 47,
       "RFC 7677's last message");
    snprintf(message, sizeof message, "c=biws,r=%s,x=y,p=%s", nonce, proof);
    ok(sasl_scram_final(text(message), &f) == 1 && says(f.nonce, nonce), "with an extension");
    static char const *const malformed[] = {
        "c=biws,r=,p=%s",   "c=,r=a,p=%s",      "r=a,p=%s",        "c=biws,p=%s", "c=biws,r=a,p=%s,",
        "c=biws,r=a,p=x%s", "c=biws,r=a,,p=%s", "c=biws,r=a,q=%s", "p=%s",        "%s",
    };
    for (unsigned int i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char const *at = strstr(malformed[i], "%s");
        snprintf(message, sizeof message, "%.*s%s%s", (int)(at - malformed[i]), malformed[i], proof, at + 2);
        ok(!sasl_scram_final(text(message), &f), "SCRAM's last message: %s", malformed[i]);
    }
    ok(!sasl_scram_final(text("c=biws,r=a,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7And~Q="), &f), "a proof not Base64");
}

int
main(void)
{
    names();
    plain();
    cram();
    scram();
    return tap_done();
}
