/* The addresses in a field of a header (RFC 5322 section 3.4, with the obsolete forms of section 4 that are still sent).
 * Nothing recurses, nothing is parsed in place, bytes above 0x7f count as letters (RFC 6532; older software sends them too). */

#ifndef PNEU_LIB_ADDRESSLIST_H
#define PNEU_LIB_ADDRESSLIST_H

#include <stddef.h>

#include <skalibs/stralloc.h>

/* One address of a list. local and domain are unquoted, comments and blanks gone. */
struct addresslist_entry {
    stralloc local;
    stralloc domain; /* of an address literal with its brackets; empty if there is none */
    int changed;     /* the function changed domain: it shall stand in the field */
};

/* Called for each address; for <> with both parts empty. Returns 1, or 0 with errno to stop. */
typedef int addresslist_func(void *, struct addresslist_entry *);

/* Walks over the addresses of a field's body and writes the body to out, byte by byte as it was except for:
 * domains that the function changed; source routes, which are dropped; a missing comma between two addresses; a ';'
 * where there is no group, which becomes a comma; a group's missing ';' at the end; the dot behind a domain.
 * Returns 1, or 0 with errno: EPROTO if it is no address list, *why says what is wrong; ENOMEM; what the function
 * left there, with *why NULL. */
extern int addresslist_walk(char const *s, size_t len, stralloc *out, addresslist_func *, void *data, char const **why);

/* Appends s as it has to stand in a header: as it is if it is a dot-atom, else as a quoted string. For `phrase`
 * always quoted. Returns 1, or 0 with ENOMEM. */
extern int addresslist_quote(stralloc *to, char const *s, size_t len, int phrase);

#endif
