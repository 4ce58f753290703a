/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds torn and rotten bytes,
 * stops no forger. */

#ifndef PNEU_LIB_CRC_H
#define PNEU_LIB_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, which is 0 at first. */
extern uint32_t crc32c(uint32_t crc, void const *s, size_t len);

#endif
