#include "smtpd/become.h"

#include <stdlib.h>
#include <string.h>

#include <skalibs/exec.h>

#include "smtpd/starttls.h"

#define WORDS 8
#define WORD_MAX 64

static int
change(stralloc const *environment)
{
    for (size_t at = 0; at < environment->len; at += strlen(environment->s + at) + 1) {
        char *name = environment->s + at;
        char *equals = strchr(name, '=');
        if (!equals) {
            if (unsetenv(name) == -1)
                return 0;
            continue;
        }
        *equals = 0;
        int set = setenv(name, equals + 1, 1);
        *equals = '=';
        if (set == -1)
            return 0;
    }
    return 1;
}

void
become(char const *const *argv, stralloc const *environment)
{
    char folder[STARTTLS_PATH_MAX], paths[WORDS][STARTTLS_PATH_MAX + WORD_MAX];
    char const *words[WORDS + 1] = {NULL};

    /* The instance's folder is the current one; a relative name would lead elsewhere from here. */
    if (!starttls_folder(folder) || !change(environment) || setenv("PNEU_HOME", ".", 1) == -1)
        return;
    for (unsigned int i = 0; i < WORDS && argv[i]; i++) {
        words[i] = argv[i];
        if (strncmp(argv[i], "pneu-", 5) != 0 || strlen(argv[i]) >= WORD_MAX)
            continue;
        (void)stpcpy(stpcpy(paths[i], folder), argv[i]);
        words[i] = paths[i];
    }
    exec(words);
}
