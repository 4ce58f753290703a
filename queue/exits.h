/* Exit codes of pneu-queue: qmail-queue's, which mail programs have known since
 * 1996. 11 to 40 are permanent, all others temporary. */

#ifndef PNEU_QUEUE_EXITS_H
#define PNEU_QUEUE_EXITS_H

enum queue_exit {
    QUEUE_OK = 0,
    QUEUE_LONG = 11,        /* an address is too long */
    QUEUE_REFUSED = 31,     /* refused for ever */
    QUEUE_MEMORY = 51,      /* out of memory */
    QUEUE_TIMEOUT = 52,     /* it took too long */
    QUEUE_WRITE = 53,       /* write error, disk full */
    QUEUE_READ = 54,        /* the message or the envelope cannot be read to its end */
    QUEUE_HOME = 61,        /* no instance */
    QUEUE_FOLDER = 62,      /* a setting or a folder of it cannot be read */
    QUEUE_REFUSED_NOW = 71, /* refused for now */
    QUEUE_SILENT = 72,      /* the intake took too long */
    QUEUE_NO_INTAKE = 73,   /* the intake is not there, or turned us away */
    QUEUE_CUT = 74,         /* the intake hung up */
    QUEUE_BUG = 81,         /* cannot happen */
    QUEUE_FORMAT = 91       /* the envelope is malformed */
};

#endif
