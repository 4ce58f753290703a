/* Names of the queue's folders and files, relative to $PNEU_HOME. A message's
 * folder is its state (queue(5)). */

#ifndef PNEU_QUEUE_LAYOUT_H
#define PNEU_QUEUE_LAYOUT_H

#define QUEUE_NEW "queue/new" /* accepted, not yet tried */
#define QUEUE_WAIT                                                                                                     \
    "queue/wait"                /* wait/XX: tried, due again at the file's mtime; XX = last   \
                    two characters of the ID */
#define QUEUE_HOLD "queue/hold" /* held, until somebody releases it */
#define QUEUE_BAD "queue/bad"   /* damaged: ID, and ID.why, one line */
#define QUEUE_TRIGGER                                                                                                  \
    "queue/lock/trigger"                 /* fifo: "ID\n" for a new message, "\n" for: look     \
                            again */
#define QUEUE_SENDLOCK "queue/lock/send" /* flock()ed by the one pneu-send */
#define QUEUE_CLOCK "queue/lock/clock"   /* what pneu-send knows of the clocks (send/clockfile.h) */
#define BADMAIL "badmail"                /* ID: what could neither be delivered nor returned; ID.why */

#define RUN_INTAKE "run/intake" /* pneu-queued's socket */
#define RUN_FILTER                                                                                                     \
    "run/filter"                /* pneu-filterd's socket, the intake where control/filter     \
                    exists */
#define RUN_HOOK "run/hook"     /* pneu-hookd */
#define RUN_LOCAL "run/local"   /* pneu-spawn -L */
#define RUN_REMOTE "run/remote" /* pneu-spawn -R */

#endif
