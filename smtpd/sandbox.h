/* What pneu-smtpd may still do when it meets the first foreign byte. */

#ifndef PNEU_SMTPD_SANDBOX_H
#define PNEU_SMTPD_SANDBOX_H

/* Read control/ and users/, connect to the sockets in run/, nothing else. The working directory is $PNEU_HOME.
 * Returns 1, or 0 with errno. */
extern int smtpd_confine(void);

/* The same for a process that takes connections and forks, and then for its child with one: that is left with what pneu-smtpd has. */
extern int smtpd_confine_listener(void);
extern int smtpd_confine_child(void);

#endif
