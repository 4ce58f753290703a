/* Any bytes as a session with pneu-queued: whatever comes, what lies in the queue then is whole, and as many
 * files as were answered with an ID. */

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/file.h"
#include "queue/layout.h"
#include "queue/queued.h"

int LLVMFuzzerTestOneInput(unsigned char const *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The log of refusals would bury what the fuzzer says. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char *words[64];
    static char quiet[] = "-close_fd_mask=2";

    if (*argc > 60)
        return 0;
    memcpy(words, *argv, (size_t)*argc * sizeof *words);
    words[(*argc)++] = quiet;
    *argv = words;
    return 0;
}

static struct queued q = {.pneud = 1, .pneuf = 2, .pneuq = 3, .commit = COMMIT_ZERO, .trigger = -1};

static int home = -1, before; /* libFuzzer reads its corpus by relative names: we go home for each run only */

static void
prepare(void)
{
    static char path[] = "/dev/shm/pneu-fuzz.XXXXXX";

    before = open(".", O_RDONLY | O_CLOEXEC);
    if (!mkdtemp(path) || chdir(path) == -1 || mkdir("queue", 0700) == -1 || mkdir(QUEUE_NEW, 0700) == -1 ||
        !commit_init(&q.commit) || !space_init(&q.space, 1))
        abort();
    home = open(".", O_RDONLY | O_CLOEXEC);
}

/* Proves and removes all files. Returns their number. */
static size_t
harvest(void)
{
    DIR *d = opendir(QUEUE_NEW);
    size_t n = 0;

    for (struct dirent *e; (e = readdir(d));) {
        struct file f = FILE_ZERO;
        char const *why;
        if (*e->d_name == '.')
            continue;
        int fd = openat(q.commit.dir, e->d_name, O_RDONLY | O_CLOEXEC);
        if (file_read(fd, &f, &why) != 1 || file_prove(fd, &f.header) != 1)
            abort();
        file_free(&f);
        close(fd);
        unlinkat(q.commit.dir, e->d_name, 0);
        n++;
    }
    closedir(d);
    return n;
}

static size_t
count(stralloc const *out, char const *what)
{
    size_t n = 0;
    char const *at = out->s;

    while (out->len && (at = memmem(at, out->len - (size_t)(at - out->s), what, strlen(what)))) {
        n++;
        at++;
    }
    return n;
}

int
LLVMFuzzerTestOneInput(unsigned char const *data, size_t size)
{
    struct receive r = RECEIVE_ZERO;
    size_t piece = size ? data[0] + 1u : 1;
    int goes_on = 1;

    if (home == -1)
        prepare();
    if (fchdir(home) == -1)
        abort();
    q.databytes = 1000;
    queued_session(&q, size && data[0] & 1 ? 2 : 1000, 0);
    r.ops = &queued_ops;
    r.data = &q;
    for (size_t at = 1; at < size && goes_on; at += piece) {
        if (!stralloc_catb(&r.in, (char const *)data + at, size - at < piece ? size - at : piece))
            abort();
        goes_on = receive_feed(&r);
    }
    if (r.phase)
        r.ops->drop(r.data);
    /* One token, or no recipient: an answer without a file of its own. */
    if (harvest() > count(&r.out, ":K0 2.0.0 "))
        abort();
    stralloc_free(&r.in);
    stralloc_free(&r.out);
    return fchdir(before);
}
