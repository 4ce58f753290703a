/* queue/commit: every size around the buffer's, tokens, and what is left after giving up. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/djbunix.h>

#include "queue/commit.h"
#include "queue/envelope.h"
#include "queue/file.h"
#include "queue/layout.h"
#include "tests/tap.h"

static char home[] = "/tmp/pneu-commit.XXXXXX";

static unsigned int
entries(char const *folder)
{
    DIR *d = opendir(folder);
    unsigned int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void
make_home(void)
{
    char path[64];

    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("queue", 0700) == -1 || mkdir(QUEUE_NEW, 0700) == -1 ||
        mkdir(QUEUE_HOLD, 0700) == -1 || mkdir(QUEUE_WAIT, 0700) == -1)
        perror(home);
    for (unsigned int i = 0; i < 256; i++) {
        snprintf(path, sizeof path, QUEUE_WAIT "/%02x", i);
        mkdir(path, 0700);
    }
}

static stralloc envelope = STRALLOC_ZERO;

static int
end(struct commit *c)
{
    int r = commit_end(c, (struct bytes){envelope.s, envelope.len}, 3);

    commit_close(c);
    return r;
}

/* Reads the file back and compares all of it. */
static int
same(struct commit const *c, char const *message, size_t len)
{
    struct file f = FILE_ZERO;
    char const *why = "";
    char path[64], *got = malloc(len + 1);
    int fd, good;

    snprintf(path, sizeof path, QUEUE_NEW "/%s", c->id);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    good = file_read(fd, &f, &why) == 1 && file_prove(fd, &f.header) == 1 && f.header.message == len &&
           pread(fd, got, len, FILE_HEADER) == (ssize_t)len && !memcmp(got, message, len) &&
           f.envelope.len == envelope.len && !memcmp(f.envelope.s, envelope.s, envelope.len) &&
           f.header.recipients == 3 && !memcmp(f.status, "TTT", 3);
    if (!good)
        printf("# %s: %s\n", path, why);
    file_free(&f);
    free(got);
    close(fd);
    unlink(path);
    return good;
}

static void
sizes(struct commit *c)
{
    static size_t const lens[] = {0, 1, 4096, 65407, 65408, 65409, 65535, 65536, 65537, 131072, 200000};
    static size_t const pieces[] = {1000000, 65536, 7777};
    char *message = malloc(200000);

    for (size_t i = 0; i < 200000; i++)
        message[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            int good = commit_begin(c);
            for (size_t at = 0; at < lens[i] && good; at += pieces[k])
                good = commit_data(c, message + at, lens[i] - at < pieces[k] ? lens[i] - at : pieces[k]);
            ok(good && end(c) && same(c, message, lens[i]), "%zu bytes in pieces of %zu", lens[i], pieces[k]);
        }
    free(message);
}

static void
tokens(struct commit *c)
{
    char first[ID_SIZE];
    char from[64], to[64];

    commit_begin_token(c, 7, "parent 1", 8);
    memcpy(first, c->id, ID_SIZE);
    ok(commit_data(c, "x\n", 2) && end(c) && entries(QUEUE_NEW) == 1, "a token's message is queued");
    commit_begin_token(c, 7, "parent 1", 8);
    ok(!strcmp(c->id, first), "the same token is the same ID");
    ok(commit_data(c, "x\n", 2) && end(c) && entries(QUEUE_NEW) == 1, "and is queued once");
    commit_begin_token(c, 8, "parent 1", 8);
    ok(strcmp(c->id, first), "another uid's is another");
    commit_close(c);
    snprintf(from, sizeof from, QUEUE_NEW "/%s", first);
    snprintf(to, sizeof to, QUEUE_WAIT "/%s/%s", first + ID_LEN - 2, first);
    rename(from, to);
    commit_begin_token(c, 7, "parent 1", 8);
    ok(commit_data(c, "x\n", 2) && end(c) && entries(QUEUE_NEW) == 0, "known while it waits");
    snprintf(from, sizeof from, QUEUE_HOLD "/%s", first);
    rename(to, from);
    commit_begin_token(c, 7, "parent 1", 8);
    ok(commit_data(c, "x\n", 2) && end(c) && entries(QUEUE_NEW) == 0, "known while it is held");
    unlink(from);
    commit_begin_token(c, 7, "parent 1", 8);
    ok(commit_data(c, "x\n", 2) && end(c) && entries(QUEUE_NEW) == 1, "queued again once it is gone");
}

static void
gives_up(struct commit *c)
{
    char big[70000] = {0};
    unsigned int before = entries(QUEUE_NEW);
    int dir = c->dir;

    ok(commit_begin(c) && commit_data(c, big, sizeof big), "a message begins");
    commit_close(c);
    ok(entries(QUEUE_NEW) == before, "and is given up without a trace");
    errno = EDOM;
    commit_close(c);
    ok(errno == EDOM, "commit_close leaves errno");
    c->dir = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ok(commit_begin(c) && commit_data(c, "x", 1) && !end(c) && errno == ENOTDIR, "a folder that is none: %s",
       strerror(errno));
    close(c->dir);
    c->dir = dir;
    ok(commit_begin(c) && commit_data(c, "x", 1) && end(c) && same(c, "x", 1), "the next one is queued");
}

int
main(void)
{
    struct commit c = COMMIT_ZERO;

    make_home();
    envelope_put(&envelope, "from", "a@b", 3);
    for (unsigned int i = 0; i < 3; i++)
        envelope_put(&envelope, "to", "c@d", 3);
    ok(commit_init(&c), "queue/new opens");
    sizes(&c);
    tokens(&c);
    gives_up(&c);
    if (chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
