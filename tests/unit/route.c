/* control/route and control/users: where an address leads, and whose it is. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skalibs/cdbmake.h>

#include "control/route.h"
#include "control/users.h"
#include "tests/tap.h"

static char dir[] = "/tmp/pneu-route-XXXXXX";

static void
put(char const *name, char const *text)
{
    FILE *f = fopen(name, "w");

    if (!f || fputs(text, f) == EOF || fclose(f))
        exit(111);
}

static void
routes(void)
{
    static struct {
        char const *address, *to;
        enum route route;
    } const cases[] = {
        {"joe@local.test", "joe@local.test", ROUTE_LOCAL},
        {"Joe@LOCAL.Test", "Joe@local.test", ROUTE_LOCAL},
        {"joe", "joe@me.test", ROUTE_LOCAL},
        {"a@b@local.test", "a@b@local.test", ROUTE_LOCAL},
        {"x@virt.test", "owner-x@virt.test", ROUTE_LOCAL},
        {"X@Virt.TEST", "owner-X@virt.test", ROUTE_LOCAL},
        {"special@virt.test", "other-special@virt.test", ROUTE_LOCAL},
        {"x@sub.wild.test", "wild-x@sub.wild.test", ROUTE_LOCAL},
        {"x@wild.test", "x@wild.test", ROUTE_REMOTE},
        {"x@not.wild.test", "x@not.wild.test", ROUTE_REMOTE},
        {"x@box.test", "x@box.test", ROUTE_MAILBOX},
        {"x@BOX.test", "x@box.test", ROUTE_MAILBOX},
        {"x@sub.box.test", "x@sub.box.test", ROUTE_REMOTE},
        {"x@far.example", "x@far.example", ROUTE_REMOTE},
        {"x@../domain/box.test", "x@../domain/box.test", ROUTE_REMOTE},
        {"x@", "x@", ROUTE_REMOTE},
        {"", "@me.test", ROUTE_LOCAL},
    };
    struct routes r = ROUTES_ZERO;
    stralloc to = STRALLOC_ZERO;
    char const *which;

    put("control/me", "me.test\n");
    put("control/locals", "local.test\nme.test\nbox.test\n");
    put("control/virtualdomains", "virt.test:owner\nspecial@virt.test:other\n."
                                  "wild.test:wild\nnot.wild.test:\n");
    mkdir("control/domain", 0700);
    mkdir("control/domain/box.test", 0700);
    ok(routes_read(&r, &which), "the settings are read");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum route route;
        int good = route_find(&r, cases[i].address, strlen(cases[i].address), &to, &route);
        ok(good && route == cases[i].route && to.len == strlen(cases[i].to) && !memcmp(to.s, cases[i].to, to.len),
           "%s -> %s", cases[i].address, cases[i].to);
    }
    /* A folder that cannot be looked at now: to say that it is not there would send our own mail away, or back for ever. */
    enum route route;
    ok(symlink("loop.test", "control/domain/loop.test") == 0 && !route_find(&r, "x@Loop.test", 11, &to, &route) &&
           errno == ELOOP,
       "what cannot be known is no other host's");
    put("control/virtualdomains", "bad\001line\n");
    ok(!routes_read(&r, &which) && errno == EPROTO && !strcmp(which, "control/virtualdomains"),
       "a malformed one is named");
}

static void
make_cdb(void)
{
    static struct {
        char const *key;
        size_t keylen;
        char const *data;
        size_t datalen;
    } const entries[] = {
#define ENTRY(key, data) {key, sizeof key - 1, data, sizeof data - 1}
        ENTRY("!joe\0", "joe\0001000\000100\0/home/joe\0\0\0"),
        ENTRY("!joe-", "joe\0001000\000100\0/home/joe\0-\0\0"),
        ENTRY("!postmaster\0", "alias\00050\00050\0/var/pneu/alias\0-\0postmaster\0"),
        ENTRY("!alice@box.test\0", "alice\00060\00060\0/mail/box.test/alice\0\0\0"),
        ENTRY("!alice-x-@box.test", "alice\00060\00060\0/mail/box.test/alice\0-\0x-\0"),
        ENTRY("!@catch.test", "catch\00060\00060\0/mail/catch.test\0-\0\0"),
        ENTRY("!relative\0", "r\00060\00060\0home\0\0\0"),
        ENTRY("!short\0", "r\00060\00060\0/home\0"),
        ENTRY("", "-"),
        ENTRY("sources", "users/assign\0"),
#undef ENTRY
    };
    cdbmaker c = CDBMAKER_ZERO;
    int fd = open("users/cdb", O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd == -1 || !cdbmake_start(&c, fd))
        exit(111);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (!cdbmake_add(&c, entries[i].key, (uint32_t)entries[i].keylen, entries[i].data,
                         (uint32_t)entries[i].datalen))
            exit(111);
    if (!cdbmake_finish(&c))
        exit(111);
    close(fd);
}

static void
users(void)
{
    static struct {
        char const *address;
        int result;
        char const *name, *dash, *ext;
    } const cases[] = {
        {"joe", 1, "joe", "", ""},
        {"JOE", 1, "joe", "", ""},
        {"joe-list-x", 1, "joe", "-", "list-x"},
        {"joe-", 1, "joe", "-", ""},
        {"joel", 0, 0, 0, 0},
        {"postmaster", 1, "alias", "-", "postmaster"},
        {"alice@box.test", 1, "alice", "", ""},
        {"Alice@BOX.test", 1, "alice", "", ""},
        {"alice-x-1@box.test", 1, "alice", "-", "x-1"},
        {"alice-y@box.test", 0, 0, 0, 0},
        {"bob@box.test", 0, 0, 0, 0},
        {"any.body@catch.test", 1, "catch", "-", "any.body"},
        {"a-b-c@catch.test", 1, "catch", "-", "a-b-c"},
        {"joe@other.test", 0, 0, 0, 0},
        {"relative", -1, 0, 0, 0},
        {"short", -1, 0, 0, 0},
        {"", 0, 0, 0, 0},
    };
    struct user u = USER_ZERO;
    struct timespec now[2] = {{0}, {.tv_nsec = UTIME_NOW}};
    uint32_t uid, gid;

    ok(users_find("joe", 3, &u) == -1 && errno == ENOENT, "without a table nobody is known");
    put("users/assign", ".\n");
    now[1] = (struct timespec){.tv_sec = 1000000000}; /* older than the table, by more than a tick */
    utimensat(AT_FDCWD, "users/assign", now, 0);
    make_cdb();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = users_find(cases[i].address, strlen(cases[i].address), &u);
        ok(got == cases[i].result && (got != 1 || (!strcmp(u.name, cases[i].name) && !strcmp(u.dash, cases[i].dash) &&
                                                   !strcmp(u.ext, cases[i].ext))),
           "user \"%s\"", cases[i].address);
    }
    now[1] = (struct timespec){.tv_sec = 4000000000};
    utimensat(AT_FDCWD, "users/assign", now, 0);
    ok(users_find("nobody", 6, &u) == -1 && errno == ESTALE, "unknown in an old table: nobody can say");
    ok(users_find("joe", 3, &u) == 1 && u.uid == 1000 && u.gid == 100 && !strcmp(u.home, "/home/joe"),
       "known all the same");
    put("users/cdb", "no cdb");
    ok(users_find("joe", 3, &u) == -1, "a damaged table");

    ok(!users_id("pneuq", &uid, &gid) && errno == ENOENT, "no users/ids");
    put("users/ids", "pneud:901:902\npneuq:903:904\nbad:x:1\nbad2:1\n");
    ok(users_id("pneuq", &uid, &gid) == 1 && uid == 903 && gid == 904, "uid and gid of pneuq");
    ok(users_id("pneud", &uid, &gid) == 1 && uid == 901, "and of pneud");
    ok(!users_id("pneu", &uid, &gid) && errno == ENOENT, "one that is not there");
    ok(!users_id("bad", &uid, &gid) && errno == EPROTO && !users_id("bad2", &uid, &gid), "malformed ones");
}

int
main(void)
{
    if (!mkdtemp(dir) || chdir(dir) == -1 || mkdir("control", 0700) == -1 || mkdir("users", 0700) == -1)
        return 111;
    routes();
    users();
    return tap_done();
}
