/* tlsfeed cert FILE SIZE: pushes a certificate in DER in pieces of that size through lib/tlsfence.h
 * tlsfeed key FILE:       reads a private key in PEM by lib/tlspem.h
 * tlsfeed pair KEY CHAIN: do they belong together?
 *
 * The decoder lies at the end of a page, and behind it there is none: a byte too many ends this. Prints what came of it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <skalibs/djbunix.h>
#include <skalibs/stralloc.h>

#include "lib/tlsfence.h"
#include "lib/tlspem.h"

#define ROOM 16384u /* a multiple of the page's size, larger than any decoder */

/* `size` bytes, the last of which are the last of a page. */
static void *
at_the_edge(size_t size)
{
    char *pages = mmap(NULL, (size_t)2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED || mprotect(pages + ROOM, ROOM, PROT_NONE) == -1)
        exit(111);
    return pages + ROOM - size;
}

static void
slurp_file(stralloc *s, char const *path)
{
    if (!openslurpclose(s, path)) {
        perror(path);
        exit(111);
    }
}

static int
feed_certificate(stralloc const *der, size_t piece)
{
    br_x509_decoder_context *d = at_the_edge(sizeof *d);
    br_x509_pkey *key;

    tlsfence_x509_init(d, NULL, NULL);
    for (size_t at = 0; at < der->len; at += piece)
        if (!tlsfence_x509_push(d, der->s + at, der->len - at < piece ? der->len - at : piece))
            break;
    key = br_x509_decoder_get_pkey(d);
    printf("%d %s\n", br_x509_decoder_last_error(d), !key ? "none" : key->key_type == BR_KEYTYPE_RSA ? "rsa" : "ec");
    return 0;
}

int
main(int argc, char **argv)
{
    br_skey_decoder_context *key = at_the_edge(sizeof *key);
    stralloc a = STRALLOC_ZERO, b = STRALLOC_ZERO, chain = STRALLOC_ZERO;

    if (argc < 3)
        return 100;
    slurp_file(&a, argv[2]);
    if (!strcmp(argv[1], "cert") && argc == 4)
        return feed_certificate(&a, strtoul(argv[3], NULL, 10));
    if (!tlspem_key(key, (struct bytes){a.s, a.len})) {
        puts(errno == EFBIG ? "large" : "none");
        return 0;
    }
    if (argc == 3) {
        puts(br_skey_decoder_key_type(key) == BR_KEYTYPE_RSA ? "rsa" : "ec");
        return 0;
    }
    slurp_file(&b, argv[3]);
    if (!tlspem_chain(&chain, (struct bytes){b.s, b.len}))
        puts("no chain");
    else
        puts(tlspem_matches(key, (struct bytes){chain.s, chain.len}) ? "yes" : "no");
    return 0;
}
