/* What pneu-smtpd may still do when it meets the first foreign byte. */

#ifndef PNEU_SMTPD_SANDBOX_H
#define PNEU_SMTPD_SANDBOX_H

/* Read control/ and users/, connect to the sockets in run/, nothing else. The working directory is $PNEU_HOME.
 * Returns 1, or 0 with errno. */
extern int smtpd_confine(void);

#endif
