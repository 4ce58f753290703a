/* One line an event on stderr: "event key=value key=value\n", at most LOG_MAX
 * bytes. In values every byte outside 0x21..0x7e, and the backslash, is written
 * \xNN: a line is always one line, a value one word, and no terminal obeys it.
 */

#ifndef PNEU_LIB_LOG_H
#define PNEU_LIB_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skalibs/stralloc.h>

#define LOG_MAX 1000 /* bytes of a line with its newline; what does not fit is cut */

struct log {
    size_t len;
    char s[LOG_MAX];
};

/* Begins a line with "PROG: event". */
extern void log_start(struct log *, char const *event);

/* " key=value". An empty value is written as nothing behind the '='. */
extern void log_bytes(struct log *, char const *key, char const *value, size_t len);
extern void log_str(struct log *, char const *key, char const *value);
extern void log_uint(struct log *, char const *key, uint64_t value);

/* " error=text" of errno. */
extern void log_errno(struct log *, int e);

/* Writes the line to descriptor 2 in one write. A log that cannot be written
 * stops nothing. */
extern void log_end(struct log *);

/* The line of a child that a signal has ended. */
extern void log_died(pid_t, int sig);

/* Appends s with the escapes of a log line, spaces kept if `spaces`. Returns 1,
 * or 0 with ENOMEM. */
extern int log_escape(stralloc *to, char const *s, size_t len, int spaces);

#endif
