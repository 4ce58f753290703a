/* pneu-local's side of its helper. */

#include "local/program.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/netstring.h"
#include "lib/pass.h"

#define REPLY_MAX 1024

char
program_class(int code)
{
    switch (code) {
    case 0:
        return 'K';
    case 99:
        return 'L';
    case 100:
    case 64:
    case 65:
    case 70:
    case 76:
    case 77:
    case 78:
    case 112:
        return 'D';
    }
    return 'Z';
}

/* Sends a request with the message's descriptor. One packet: it arrives whole
 * or not at all. */
static int
ask(struct helper const *h, stralloc const *request, int fd)
{
    return pass_send(h->fd, request->s, request->len, fd, 0) != -1;
}

/* Waits for the reply, or for the end of whoever gave us the job: then the
 * helper stops the program as soon as it sees our end. */
static ssize_t
hear(struct helper const *h, char reply[static REPLY_MAX])
{
    struct pollfd x[2] = {{.fd = h->fd, .events = POLLIN}, {.fd = h->watch, .events = POLLRDHUP}};

    while (!x[0].revents) {
        if (poll(x, 2, -1) == -1 && errno != EINTR)
            return -1;
        if (x[1].revents & (POLLRDHUP | POLLHUP | POLLERR))
            _exit(0);
    }
    return recv(h->fd, reply, REPLY_MAX, 0);
}

/* Reply: a class letter, an enhanced code, a blank, text. */
static char
converse(struct delivery *d, stralloc const *request, struct outcome *o)
{
    char reply[REPLY_MAX];
    ssize_t n = -1;

    if (ask(d->helper, request, d->message->fd))
        n = hear(d->helper, reply);
    char *blank = n > 1 ? memchr(reply + 1, ' ', (size_t)n - 1) : 0;
    if (!blank || (size_t)(blank - reply) > sizeof o->code) {
        outcome_set(o, 'Z', "4.3.0", "The helper of pneu-local ended", 0, n == -1 ? errno : 0);
        return 'Z';
    }
    *blank = 0;
    outcome_set(o, *reply, reply + 1, "", 0, 0);
    outcome_add(o, blank + 1, (size_t)(reply + n - blank - 1));
    return *reply;
}

static int
put(stralloc *to, char const *s, size_t len)
{
    return netstring_put(to, s, len);
}

int
program_deliver(struct delivery *d, struct bytes command, struct outcome *o)
{
    stralloc request = STRALLOC_ZERO, environment = STRALLOC_ZERO;
    int done = 0;

    if (d->mailbox || !d->helper)
        outcome_set(o, 'D', "5.7.1", "Programs are not run for virtual mailboxes", 0, 0);
    else if (program_environment(d, &environment) && put(&request, "P", 1) && put(&request, command.s, command.len) &&
             put(&request, environment.s, environment.len)) {
        char class = request.len > HELPER_REQUEST_MAX
                         ? (char)outcome_set(o, 'Z', "4.3.0", "Program line too long", 0, 0)
                         : converse(d, &request, o);
        done = class == 'K' ? 1 : class == 'L' ? 2 : 0;
    } else
        outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
    stralloc_free(&environment);
    stralloc_free(&request);
    return done;
}

int
outside_deliver(struct delivery *d, char const *path, unsigned int line, struct outcome *o)
{
    char numbers[4 * UINT64_FMT];
    size_t n = uint64_fmt(numbers, d->message->length);
    stralloc request = STRALLOC_ZERO;
    int done = 0;

    numbers[n++] = ' ';
    n += uint32_fmt(numbers + n, d->index);
    numbers[n++] = ' ';
    n += uint32_fmt(numbers + n, line);
    numbers[n++] = ' ';
    numbers[n++] = d->again ? '1' : '0';
    if (put(&request, "F", 1) && put(&request, path, strlen(path) + 1) && put(&request, numbers, n) &&
        put(&request, d->id, strlen(d->id) + 1) && put(&request, d->prefix.s, d->prefix.len) &&
        put(&request, d->from.s, d->from.len))
        done = converse(d, &request, o) == 'K';
    else
        outcome_set(o, 'Z', "4.3.0", "Out of memory", 0, 0);
    stralloc_free(&request);
    return done;
}
