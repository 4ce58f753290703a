/* mkqueue [-w] [-t ARRIVAL] [-m MTIME] [-s STATUS] [-i ID] [-n COUNT] [-r NAME=VALUE]... FROM TO...
 *
 * Makes queue files in $PNEU_HOME (queue/new, with -w queue/wait/XX) as they may be found at a start of pneu-send, of the
 * message on descriptor 0, and prints their IDs. In a TO, %d is the number of the file; a TO that begins with '+' is a record
 * NAME=VALUE of the recipient before. STATUS: one byte a recipient. Times are seconds since 1970; "+N" and "-N" are from now. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/sgetopt.h>

#include "lib/crc.h"
#include "queue/envelope.h"
#include "queue/file.h"
#include "queue/id.h"

struct wish {
    int waits;
    time_t arrival, mtime;
    char const *status, *id;
    stralloc records;
};

static time_t
seconds(char const *s)
{
    return *s == '+' || *s == '-' ? time(0) + strtoll(s, 0, 10) : strtoll(s, 0, 10);
}

static void
put(stralloc *to, char const *pair)
{
    char name[64] = "";
    size_t n = strcspn(pair, "=");

    if (n >= sizeof name || !pair[n])
        _exit(100);
    memcpy(name, pair, n);
    envelope_put(to, name, pair + n + 1, strlen(pair + n + 1));
}

static uint32_t
envelope(stralloc *e, struct wish const *w, char const *const *argv, unsigned int number)
{
    uint32_t recipients = 0;

    e->len = 0;
    envelope_put(e, "from", *argv, strlen(*argv));
    envelope_putuint(e, "time", (uint64_t)w->arrival);
    stralloc_catb(e, w->records.s, w->records.len);
    while (*++argv) {
        char address[1024];
        char const *d = strstr(*argv, "%d");
        if (**argv == '+') {
            put(e, *argv + 1);
            continue;
        }
        if (d)
            snprintf(address, sizeof address, "%.*s%u%s", (int)(d - *argv), *argv, number, d + 2);
        else
            snprintf(address, sizeof address, "%s", *argv);
        envelope_put(e, "to", address, strlen(address));
        recipients++;
    }
    return recipients;
}

static void
make(struct wish const *w, stralloc const *message, stralloc const *e, uint32_t recipients)
{
    struct file_header h = {.message = message->len,
                            .envelope = (uint32_t)e->len,
                            .recipients = recipients,
                            .message_crc = crc32c(0, message->s, message->len),
                            .envelope_crc = crc32c(0, e->s, e->len)};
    struct timespec times[2] = {{.tv_sec = w->mtime}, {.tv_sec = w->mtime}};
    char header[FILE_HEADER], id[ID_SIZE], path[100];
    stralloc all = STRALLOC_ZERO;
    int fd;

    file_header_fmt(header, &h);
    stralloc_catb(&all, header, sizeof header);
    stralloc_catb(&all, message->s, message->len);
    stralloc_catb(&all, e->s, e->len);
    for (uint32_t i = 0; i < recipients; i++)
        stralloc_append(&all, w->status && i < strlen(w->status) ? w->status[i] : STATUS_TODO);
    if (w->id)
        snprintf(id, sizeof id, "%s", w->id);
    else
        id_new(id);
    if (w->waits)
        snprintf(path, sizeof path, "queue/wait/%s/%s", id + ID_LEN - 2, id);
    else
        snprintf(path, sizeof path, "queue/new/%s", id);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd == -1 || write(fd, all.s, all.len) != (ssize_t)all.len || (w->mtime && futimens(fd, times) == -1)) {
        perror(path);
        _exit(111);
    }
    close(fd);
    stralloc_free(&all);
    puts(id);
}

int
main(int argc, char const *const *argv)
{
    struct wish w = {.arrival = time(0), .records = STRALLOC_ZERO};
    stralloc message = STRALLOC_ZERO, e = STRALLOC_ZERO;
    subgetopt l = SUBGETOPT_ZERO;
    unsigned int n = 1;

    for (int o; (o = subgetopt_r(argc, argv, "wt:m:s:i:n:r:", &l)) != -1;)
        switch (o) {
        case 'w':
            w.waits = 1;
            break;
        case 't':
            w.arrival = seconds(l.arg);
            break;
        case 'm':
            w.mtime = seconds(l.arg);
            break;
        case 's':
            w.status = l.arg;
            break;
        case 'i':
            w.id = l.arg;
            break;
        case 'n':
            n = (unsigned int)atoi(l.arg);
            break;
        case 'r':
            put(&w.records, l.arg);
            break;
        default:
            return 100;
        }
    argv += l.ind;
    if (!argv[0] || !argv[1] || !getenv("PNEU_HOME") || chdir(getenv("PNEU_HOME")) == -1 || !slurp(&message, 0))
        return 100;
    for (unsigned int i = 0; i < n; i++) {
        uint32_t recipients = envelope(&e, &w, argv, i);
        make(&w, &message, &e, recipients);
    }
    return 0;
}
