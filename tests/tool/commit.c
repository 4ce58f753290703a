/* The accept commit and nothing else, for the crash tests: reads a message, queues it for two recipients, says yes. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "queue/commit.h"
#include "queue/envelope.h"

static int
queue_it(struct commit *c, char const *token)
{
    stralloc envelope = STRALLOC_ZERO;
    char piece[10000];
    ssize_t n;

    if (token)
        commit_begin_token(c, 1, token, strlen(token));
    else if (!commit_begin(c))
        return 0;
    while ((n = read(0, piece, sizeof piece)) > 0)
        if (!commit_data(c, piece, (size_t)n))
            return 0;
    return n == 0 && envelope_put(&envelope, "from", "a@b", 3) && envelope_put(&envelope, "to", "c@d", 3) &&
           envelope_put(&envelope, "to", "e@f", 3) && commit_end(c, (struct bytes){envelope.s, envelope.len}, 2);
}

int
main(int argc, char const *const *argv)
{
    struct commit c = COMMIT_ZERO;
    int queued;

    if (!control_home() || !commit_init(&c))
        return 111;
    queued = queue_it(&c, argc > 1 ? argv[1] : 0);
    commit_close(&c);
    if (!queued)
        return 111;
    return write(1, "yes\n", 4) == 4 ? 0 : 111;
}
