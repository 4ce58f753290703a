/* Paths and mailboxes as SMTP writes them (RFC 5321 section 4.1.2).
 *
 * Inside pneu an address is LOCAL@DOMAIN with the local part unquoted: "joe
 * x"@example.org is the bytes joe x@example.org, and the domain is what follows
 * the last '@'. addr_path reads the wire's form, addr_quote writes it. */

#ifndef PNEU_LIB_ADDR_H
#define PNEU_LIB_ADDR_H

#include <stddef.h>

#include <skalibs/stralloc.h>

#include "lib/netstring.h"

/* RFC 5321 asks for at least 64 bytes of local part and 256 of path, and not to
 * stop there: VERP and SRS are longer. 255 bytes of domain and 63 of a label
 * are DNS's. */
#define ADDR_MAX 1000
#define ADDR_DOMAIN_MAX 255
#define ADDR_LABEL_MAX 63

#define ADDR_NULL                                                                                                      \
    (1u << 0)                /* "<>" is allowed: the null reverse-path; the address is empty  \
               */
#define ADDR_LOCAL (1u << 1) /* the domain may be missing: <postmaster> */
#define ADDR_BARE                                                                                                      \
    (1u << 2)               /* the brackets may be missing; then the path ends before the    \
                 next blank */
#define ADDR_UTF8 (1u << 3) /* bytes from 0x80 may stand where letters do (RFC 6531) */

/* Takes a path off the front of `in`: Dot-string or Quoted-string, '@', Domain
 * or address literal; a source route before it is checked and dropped.
 * `address` becomes the mailbox, unquoted, not NUL-terminated. Returns 1, or 0
 * with errno: EPROTO malformed; EMSGSIZE longer than the limits above; EILSEQ a
 * byte from 0x80 without ADDR_UTF8; ENOMEM. `in` and `address` are undefined
 * then. */
extern int addr_path(struct bytes *in, unsigned int how, stralloc *address);

/* Appends the mailbox in the wire's form, without brackets: the local part as
 * Quoted-string where it is no Dot-string. Returns 1, or 0 with errno: EPROTO
 * if SMTP cannot say it (control characters; a domain that is neither name nor
 * literal), ENOMEM. */
extern int addr_quote(stralloc *to, char const *address, size_t len);

/* Where the last '@' is; len if there is none. */
extern size_t addr_at(char const *address, size_t len);

/* 1 if s is a Domain: labels of letters, digits, '-' inside, and '_', which
 * real hosts have; bytes from 0x80 with ADDR_UTF8 in `how`. No dot at the end,
 * at most 255 bytes. */
extern int addr_domain(char const *s, size_t len, unsigned int how);

/* 1 if s is an address literal with its brackets: [192.0.2.1],
 * [IPv6:2001:db8::1], [tag:text]. */
extern int addr_literal(char const *s, size_t len);

#endif
