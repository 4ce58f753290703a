/* Any bytes as a dot-qmail file: every line is of one kind, none reaches over its
 * end, all are seen. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "local/dotqmail.h"

extern int LLVMFuzzerTestOneInput(uint8_t const *data, size_t size);

int
LLVMFuzzerTestOneInput(uint8_t const *data, size_t size)
{
    struct bytes text = {(char const *)data, size};
    struct dotqmail_line line = {.number = 0};
    char const *end = text.s + size;
    unsigned int lines = 0;

    while (dotqmail_next(&text, &line)) {
        if (line.number != ++lines || line.text.s < (char const *)data || line.text.s + line.text.len > end)
            abort();
        if (line.text.len && memchr(line.text.s, '\n', line.text.len))
            abort();
        if ((line.type == DOTQMAIL_MBOX || line.type == DOTQMAIL_MAILDIR) &&
            (!line.text.len || line.text.len > DOTQMAIL_PATH_MAX || memchr(line.text.s, 0, line.text.len)))
            abort();
        if (line.type == DOTQMAIL_FORWARD && !line.text.len)
            abort();
    }
    if (text.len)
        abort();
    return 0;
}
