/* What pneu-smtpd may still do when it meets the first foreign byte. */

#ifndef PNEU_SMTPD_SANDBOX_H
#define PNEU_SMTPD_SANDBOX_H

/* Read control/ and users/, connect to the sockets in run/, nothing else. The working directory is $PNEU_HOME.
 * Returns 1, or 0 with errno. */
extern int smtpd_confine(void);

/* The same, and what begins TLS or obeys XCLIENT: fork, and exec of pneu-tlsd, pneu-access and pneu-smtpd in that folder, whose name ends in '/', and of
 * nothing else. All go on in this sandbox and narrow it further. */
extern int smtpd_confine_starttls(char const *folder);

/* The same for a process that takes connections and forks, and then for its child with one: that is left with what
 * pneu-smtpd has, with or without TLS to begin. */
extern int smtpd_confine_listener(char const *folder);
extern int smtpd_confine_child(int starttls);

#endif
