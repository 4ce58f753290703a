#include "lib/replaced.h"

void
replaced_mark(struct replaced *r, char const *path)
{
    struct stat st;

    *r = (struct replaced){0};
    if (stat(path, &st) == 0)
        *r = (struct replaced){.dev = st.st_dev, .ino = st.st_ino};
}

int
replaced_is(struct replaced const *r, char const *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_dev != r->dev || st.st_ino != r->ino);
}
