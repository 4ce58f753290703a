/* A listening TCP socket. */

#ifndef PNEU_SMTPD_BIND_H
#define PNEU_SMTPD_BIND_H

/* Makes one descriptor 0. `address` is "192.0.2.1", "::" (IPv6 alone); `port` 0 to 65535, of 0 the kernel makes one. Returns 1, 0 if
 * they are malformed, -1 with errno. */
extern int bind_listen(char const *address, char const *port, int backlog);

#endif
