#include "lib/tlssuite.h"

#include <string.h>
#include <strings.h>

enum kind { GCM, CHACHA, CBC };

static struct {
    char const *name;
    uint16_t id;
    enum kind kind;
} const suites_known[] = {
    {"ECDHE-ECDSA-AES128-GCM-SHA256", BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, GCM},
    {"ECDHE-RSA-AES128-GCM-SHA256", BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, GCM},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, GCM},
    {"ECDHE-RSA-AES256-GCM-SHA384", BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, GCM},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, CHACHA},
    {"ECDHE-RSA-CHACHA20-POLY1305", BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, CHACHA},
    {"ECDHE-ECDSA-AES128-SHA256", BR_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, CBC},
    {"ECDHE-RSA-AES128-SHA256", BR_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, CBC},
    {"ECDHE-ECDSA-AES256-SHA384", BR_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, CBC},
    {"ECDHE-RSA-AES256-SHA384", BR_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, CBC},
    {"ECDHE-ECDSA-AES128-SHA", BR_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, CBC},
    {"ECDHE-RSA-AES128-SHA", BR_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, CBC},
    {"ECDHE-ECDSA-AES256-SHA", BR_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, CBC},
    {"ECDHE-RSA-AES256-SHA", BR_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, CBC},
};

#define SUITES (sizeof suites_known / sizeof *suites_known)

static struct {
    char const *text, *protocol;
    unsigned int version;
} const versions[] = {{"1.2", "TLSv1.2", BR_TLS12}, {"1.1", "TLSv1.1", BR_TLS11}, {"1.0", "TLSv1", BR_TLS10}};

char const *
tlssuite_name(uint16_t suite)
{
    for (size_t i = 0; i < SUITES; i++)
        if (suites_known[i].id == suite)
            return suites_known[i].name;
    return NULL;
}

uint16_t
tlssuite_named(char const *name)
{
    for (size_t i = 0; i < SUITES; i++)
        if (!strcasecmp(suites_known[i].name, name))
            return suites_known[i].id;
    return 0;
}

size_t
tlssuite_default(uint16_t suites[static TLSSUITE_MAX])
{
    enum kind const fast[] = {GCM, CHACHA, CBC}, slow[] = {CHACHA, GCM, CBC};
    enum kind const *order = br_aes_x86ni_ctr_get_vtable() || br_aes_pwr8_ctr_get_vtable() ? fast : slow;
    size_t n = 0;

    for (unsigned int k = 0; k < 3; k++)
        for (size_t i = 0; i < SUITES; i++)
            if (suites_known[i].kind == order[k])
                suites[n++] = suites_known[i].id;
    return n;
}

void
tlssuite_engine(br_ssl_engine_context *e, uint16_t const *suites, size_t n, unsigned int lowest)
{
    br_ssl_engine_set_versions(e, lowest, BR_TLS12);
    br_ssl_engine_set_suites(e, suites, n);
    br_ssl_engine_set_hash(e, br_md5_ID, &br_md5_vtable);
    br_ssl_engine_set_hash(e, br_sha1_ID, &br_sha1_vtable);
    br_ssl_engine_set_hash(e, br_sha224_ID, &br_sha224_vtable);
    br_ssl_engine_set_hash(e, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_hash(e, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(e, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf10(e, &br_tls10_prf);
    br_ssl_engine_set_prf_sha256(e, &br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(e, &br_tls12_sha384_prf);
    br_ssl_engine_set_default_ec(e);
}

void
tlssuite_cipher(br_ssl_engine_context *e, uint16_t suite)
{
    for (size_t i = 0; i < SUITES; i++)
        if (suites_known[i].id == suite) {
            if (suites_known[i].kind == GCM)
                br_ssl_engine_set_default_aes_gcm(e);
            else if (suites_known[i].kind == CHACHA)
                br_ssl_engine_set_default_chapol(e);
            else
                br_ssl_engine_set_default_aes_cbc(e);
        }
}

char const *
tlssuite_protocol(unsigned int version)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (versions[i].version == version)
            return versions[i].protocol;
    return NULL;
}

unsigned int
tlssuite_version(char const *text)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (!strcmp(versions[i].text, text))
            return versions[i].version;
    return 0;
}
