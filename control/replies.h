/* What a remote host's answer means for the mail that got it: control/replies, lines of ACTION:PATTERN, of which the first that fits
 * decides. A pattern must fit the whole answer (lib/pattern.h).
 *
 *   retry TIME   only for now, and not again before that time
 *   slow         only for now, and the host wants less: fewer at a time, as after a 421
 *   pause TIME   only for now, and the whole domain is left alone for that time
 *   return       for good */

#ifndef PNEU_CONTROL_REPLIES_H
#define PNEU_CONTROL_REPLIES_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

enum reply_action { REPLY_AS_IS, REPLY_RETRY, REPLY_SLOW, REPLY_PAUSE, REPLY_RETURN };

struct reply_rule {
    enum reply_action action;
    uint32_t seconds; /* of REPLY_RETRY and REPLY_PAUSE */
    char const *pattern;
};

/* "retry", "slow", "pause", "return" */
extern char const *replies_word(enum reply_action);

/* Reads a line. Returns 1, or 0 with EPROTO. */
extern int replies_scan(char const *line, struct reply_rule *);

/* The first of the setting's items (control_list) that fits; its action is REPLY_AS_IS if none does, or none can be read. */
extern struct reply_rule replies_find(stralloc const *items, char const *text, size_t len);

#endif
