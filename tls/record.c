#include "tls/record.h"

#include <string.h>

#include <skalibs/fmtscan.h>

#include "lib/tlssuite.h"

size_t
record_write(unsigned char s[static RECORD_MAX], struct record const *r)
{
    size_t len = strlen(r->name);

    s[0] = (unsigned char)(r->version >> 8);
    s[1] = (unsigned char)r->version;
    s[2] = (unsigned char)(r->suite >> 8);
    s[3] = (unsigned char)r->suite;
    s[4] = r->certified != 0;
    memcpy(s + 5, r->digest, RECORD_DIGEST);
    s[RECORD_FIXED - 1] = (unsigned char)len;
    memcpy(s + RECORD_FIXED, r->name, len);
    return RECORD_FIXED + len;
}

size_t
record_length(unsigned char const s[static RECORD_FIXED])
{
    return RECORD_FIXED + (size_t)s[RECORD_FIXED - 1];
}

int
record_read(struct record *r, unsigned char const *s, size_t len)
{
    char const *name = (char const *)s + RECORD_FIXED;

    if (len < RECORD_FIXED || len != record_length(s) || s[4] > 1)
        return 0;
    *r = (struct record){.version = (uint16_t)(s[0] << 8 | s[1]), .suite = (uint16_t)(s[2] << 8 | s[3])};
    r->certified = s[4];
    memcpy(r->digest, s + 5, RECORD_DIGEST);
    len -= RECORD_FIXED;
    if (len && !keywire_name(name, len))
        return 0;
    memcpy(r->name, name, len);
    return tlssuite_protocol(r->version) && tlssuite_name(r->suite);
}

int
record_environment(struct record const *r, stralloc *to)
{
    char digest[2 * RECORD_DIGEST];

    if (!stralloc_cats(to, "SSL_PROTOCOL=") || !stralloc_cats(to, tlssuite_protocol(r->version)) ||
        !stralloc_catb(to, "\0SSL_CIPHER=", 12) || !stralloc_cats(to, tlssuite_name(r->suite)) || !stralloc_0(to))
        return 0;
    if (*r->name && (!stralloc_cats(to, "SSL_TLS_SNI_SERVERNAME=") || !stralloc_catb(to, r->name, strlen(r->name) + 1)))
        return 0;
    if (!r->certified)
        return 1;
    ucharn_fmt(digest, (char const *)r->digest, RECORD_DIGEST);
    return stralloc_cats(to, "SSL_PEER_CERT_HASH=SHA256:") && stralloc_catb(to, digest, sizeof digest) &&
           stralloc_0(to);
}
