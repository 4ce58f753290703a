/* inject/user.c, inject/unique.c */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inject/unique.h"
#include "inject/user.h"
#include "tests/tap.h"

static struct {
    char const *in, *out;
} const lists[] = {
    {"", ""},
    {"a|", "a|"},
    {"a|a|", "a|"},
    {"a|b|a|", "a|b|"},
    {"b|a|b|a|c|", "b|a|c|"},
    {"a|A|", "a|A|"},
    {"aa|a|aa|a|", "aa|a|"},
    {"c|c|c|c|", "c|"},
    {"x@y|z@y|x@y|", "x@y|z@y|"},
};

static struct {
    char const *file;
    uid_t uid;
    char const *name;
} const users[] = {
    {"root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000::/:\n", 0, "root"},
    {"root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000::/:\n", 1000, "joe"},
    {"root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000::/:\n", 100, 0},
    {"a:x:5:\nb:x:5:\n", 5, "a"},
    {":x:5:\nb:x:5:\n", 5, "b"},
    {"a:x\nb::5:\n\n:::\nc\n", 5, "b"},
    {"a:x:05x:\nb:x:5", 5, 0},
    {"a:x:99999999999:\n", 5, 0},
    {"", 0, 0},
};

int
main(void)
{
    stralloc sa = STRALLOC_ZERO;
    char path[] = "/tmp/pneu-passwd.XXXXXX";
    int fd = mkstemp(path);

    for (unsigned int i = 0; i < sizeof lists / sizeof *lists; i++) {
        sa.len = 0;
        stralloc_cats(&sa, lists[i].in);
        for (size_t n = 0; n < sa.len; n++)
            sa.s[n] = sa.s[n] == '|' ? 0 : sa.s[n];
        int good = unique_strings(&sa);
        for (size_t n = 0; n < sa.len; n++)
            sa.s[n] = sa.s[n] ? sa.s[n] : '|';
        stralloc_0(&sa);
        ok(good && !strcmp(sa.s, lists[i].out), "unique %s: %s", lists[i].in, sa.s);
    }
    for (unsigned int i = 0; i < sizeof users / sizeof *users; i++) {
        sa.len = 0;
        int wrote = ftruncate(fd, 0) == 0 && pwrite(fd, users[i].file, strlen(users[i].file), 0) >= 0;
        int found = user_name(path, users[i].uid, &sa);
        ok(wrote && found == !!users[i].name && (!found || !strcmp(sa.s, users[i].name)), "user %u", i);
    }
    unlink(path);
    ok(!user_name(path, 0, &sa), "no file");
    stralloc_free(&sa);
    return tap_done();
}
