/* Listeners ("virtual servers"): control/servers/NAME/ holds a listener's settings, among them `listen`, and
 * service/NAME/ runs it. The working directory is $PNEU_HOME. */

#ifndef PNEU_CONTROL_LISTENER_H
#define PNEU_CONTROL_LISTENER_H

#include "control/service.h"

#define LISTENER_KINDS "smtp, submission, submissions, lmtp" /* for messages */

enum listener_check { LISTENER_GOOD, LISTENER_KIND, LISTENER_ADDRESS, LISTENER_PORT };

/* What is wrong with these. */
extern enum listener_check listener_check(char const *kind, char const *address, char const *port);

/* Does something other than the listener of that name listen there already? */
extern int listener_taken(char const *name, char const *kind, char const *address, char const *port);

/* Makes a listener, or changes the one of that name, and starts it if the instance runs; a running one starts anew, its
 * connections go on. Returns 1, or 0 with errno and op->why. */
extern int listener_add(struct operation *op, char const *name, char const *kind, char const *address,
                        char const *port);

/* Stops it, and removes its service and its settings; its logs stay. ENOENT: there is none. Returns as above. */
extern int listener_delete(struct operation *op, char const *name);

/* Ends the listener: new connections are refused, also after the next start of the instance. Open ones go on, or with
 * `cut` are ended: their processes get SIGTERM, and what was not yet accepted is not. ENOENT: there is none. Returns as above. */
extern int listener_pause(struct operation *op, char const *name, int cut);

/* Begins it again; one that runs starts anew, and takes up settings and rules that count at the start. Returns as above. */
extern int listener_start(struct operation *op, char const *name);

/* Appends "name kind address port state" a line; state is "up", "paused", "down" or, where s6-svscan does not run, "-".
 * Returns as above. */
extern int listener_list(struct operation *op, stralloc *text);

/* Appends the line of one, with its process and since when. *up: it serves. Returns 1, or 0 with ENOMEM. */
extern int listener_status(char const *name, stralloc *text, int *up);

/* 1 if there is a listener of that name. */
extern int listener_is(char const *name);

#endif
