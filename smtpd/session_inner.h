/* What the parts of the session share: session.c has the loop, replies and log, each session_*.c a few commands. Nothing
 * else includes this. A new command is a function in such a file, its line in the table of session.c and, where EHLO tells
 * of it, one in that of session_hello.c. */

#ifndef PNEU_SMTPD_SESSION_INNER_H
#define PNEU_SMTPD_SESSION_INNER_H

#include "smtpd/session.h"

/* ---- replies ---- */

/* Pieces of one. A reply that is written so ends in CR LF and is never an error of the client's. */
extern void session_say(struct session *, char const *text, size_t len);
extern void session_says(struct session *, char const *text);

/* One whole reply, without CR LF. Every 4xx and 5xx counts as an error of the client's; after too many the session is over. */
extern void session_reply(struct session *, char const *text);

/* The reply just given is the client's count-th of a kind that there should not be many of: it is held back if there were. */
extern void session_tarpit(struct session *, uint32_t count);

/* There is no memory: the session is over. */
extern void session_nomemory(struct session *);

/* ---- the transaction ---- */

/* Forgets sender, recipients and parameters, and a message that has begun by BDAT. */
extern void session_reset(struct session *);

/* The queue shall forget the message that has begun, if one has. */
extern void session_drop(struct session *);

/* The protocol as RFC 3848 and RFC 6531 register its names: "SMTP", "ESMTPSA", "UTF8LMTPS" ... */
#define SESSION_WITH_SIZE sizeof "UTF8SMTPSA"
extern char const *session_with(struct session const *, char name[static SESSION_WITH_SIZE]);

/* ---- the operator's programs: session_check.c ---- */

/* Asks those of that phase, if there are any. Returns NULL: they have nothing against it, and with *yes nobody else is to look
 * either; or the reply, which stays until the next question. */
extern char const *session_check(struct session *, enum hook_phase, struct bytes recipient, int *yes);

/* The same for a message while it comes in. Once a reply was returned the message is lost. */
extern char const *session_check_begin(struct session *);
extern char const *session_check_data(struct session *, char const *bytes, size_t len);
extern char const *session_check_end(struct session *);
extern void session_check_drop(struct session *);

/* ---- submitted messages: session_submit.c ---- */

/* May the login send as s->sender? Returns NULL, or the reply. */
extern char const *session_submit_sender(struct session *);

/* 1 if this is somebody's own message, not one on its way. */
extern int session_submitted(struct session const *);

/* Begins with the header of such a message: s->tidying is 1 as long as it is being read. */
extern void session_tidy_begin(struct session *);

/* The next bytes of it, and its end. When s->tidying is 0 again, s->tidy.out is the header to send, with the bytes of the body
 * that were read with it. Returns NULL, or the reply that refuses the message. */
extern char const *session_tidy(struct session *, char const *bytes, size_t len, size_t *used);
extern char const *session_tidy_end(struct session *);

/* ---- the log ---- */

/* Begins a line with what is known of the client and the sender. */
extern void session_log_line(struct session *, struct log *, char const *event);

/* Adds a reply as one readable word: reply="550_5.1.1_there_is_no_such_mailbox". */
extern void session_log_reply(struct log *, char const *text);

/* A whole line: something was refused, `to` (may be empty) is the recipient, and the reply says why. */
extern void session_log_refusal(struct session *, char const *event, struct bytes to, char const *text);

/* session_relay.c: the same for a recipient, with what lets it be relayed or not; it is accepted if `refusal` is NULL. */
extern void session_log_recipient(struct session *, struct bytes to, struct relay_reason const *, char const *refusal);

/* ---- commands: arg is what follows the verb, without blanks around it ---- */

/* session_hello.c */
extern void session_helo(struct session *, struct bytes arg);
extern void session_ehlo(struct session *, struct bytes arg);
extern void session_lhlo(struct session *, struct bytes arg);

/* session_mail.c */

/* What is said to a recipient of that verdict; NULL: it is taken. */
extern char const *session_refusal(enum policy_verdict);
extern void session_mail(struct session *, struct bytes arg);
extern void session_rcpt(struct session *, struct bytes arg);

/* session_message.c */
extern void session_data(struct session *, struct bytes arg);
extern void session_bdat(struct session *, struct bytes arg);

/* The next bytes of the message, or of its chunk, which are changed. Returns how many belonged to it. */
extern size_t session_message(struct session *, char *bytes, size_t len);
extern size_t session_chunk(struct session *, char *bytes, size_t len);

/* session_starttls.c */
extern void session_starttls(struct session *, struct bytes arg);
extern int session_offers_starttls(struct session *, stralloc *line);

/* 1 unless the client must begin TLS first. */
extern int session_inclear(struct session const *);
/* session_xclient.c */
extern void session_xclient(struct session *, struct bytes arg);

/* session_moved.c: control/moved. If the address has moved away, `to` becomes the new one and `text`, NUL-terminated, the
 * reply: 251 it is forwarded, 551 it is not, 450 the table is malformed. Returns 1; 0 if it has not moved; -1 the session
 * is over. */
extern int session_moved(struct session *, struct bytes address, stralloc *to, stralloc *text);

/* session_auth.c */
extern void session_auth(struct session *, struct bytes arg);
extern int session_auth_offer(struct session *, stralloc *line);

/* A line that is a response, and the end of an exchange: nothing that was said stays in memory. */
extern void session_auth_response(struct session *, struct bytes line);
extern void session_auth_forget(struct session *);

/* session_ask.c */
extern void session_vrfy(struct session *, struct bytes arg);
extern void session_expn(struct session *, struct bytes arg);
extern void session_help(struct session *, struct bytes arg);

#endif
