/* What the tcp server says of the connection on descriptor 0: the variables of UCSPI, ${PROTO}REMOTEIP and so on. */

#ifndef PNEU_LIB_UCSPI_H
#define PNEU_LIB_UCSPI_H

#include "lib/ip.h"

/* The value of $PROTO and that name behind it; where PROTO is TCP6 and has none, that of TCP. NULL if there is
 * none, or an empty one. */
extern char const *ucspi_get(char const *name);

/* Sets it, or with NULL takes it away; under both names where PROTO is TCP6. Returns 1, or 0 with errno. */
extern int ucspi_set(char const *name, char const *value);

/* The client's address: from REMOTEIP, else that of the socket. Returns 1, or 0 if it has none. */
extern int ucspi_remote(struct ip *);

#endif
