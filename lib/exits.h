/* Exit codes of every pneu program (the convention of qmail and s6). In doubt
 * temporary: whoever started us tries again, and nothing is lost. */

#ifndef PNEU_LIB_EXITS_H
#define PNEU_LIB_EXITS_H

#define EXIT_PERM 100 /* it will never work: usage, rejected input */
#define EXIT_BUG 101  /* cannot happen */
#define EXIT_TEMP 111 /* it may work later */

#endif
