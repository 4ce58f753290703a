/* Any arguments of sendmail, NUL between them. Nothing that begins with '-' becomes an address; what is accepted has values
 * we know. */

#include <stdlib.h>
#include <string.h>

#include "inject/arguments.h"

#define ARGUMENTS 64

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct arguments a = ARGUMENTS_ZERO;
    char const *argv[ARGUMENTS + 1] = {"sendmail"};
    char *copy = malloc(size + 1);
    int n = 1;

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    copy[size] = 0;
    for (size_t at = 0; at < size && n < ARGUMENTS; at += strlen(copy + at) + 1)
        argv[n++] = copy + at;
    if (arguments_read(&a, argv)) {
        for (; *a.rest; a.rest++)
            if (**a.rest == '-' || !**a.rest)
                abort();
        if (a.sender && *a.sender == '-')
            abort();
        for (char const *s = a.envid.len ? a.envid.s : ""; *s; s++)
            if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || *s == '=')
                abort();
    } else if (!a.why) {
        abort();
    }
    stralloc_free(&a.envid);
    free(copy);
    return 0;
}
