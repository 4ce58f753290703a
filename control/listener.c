#include "control/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/exec.h>
#include <skalibs/ip46.h>
#include <skalibs/socket.h>
#include <skalibs/types.h>

#include "control/command.h"
#include "control/control.h"
#include "control/place.h"
#include "lib/durable.h"

#define SERVERS "control/servers"
#define WAIT_NANOSECONDS 20000000
#define WAIT_TRIES 600

/* What each kind's run script is made from. */
static struct {
    char const *kind, *template;
} const kinds[] = {
    {"smtp", "smtp"},
    {"submission", "smtp"},
    {"submissions", "smtp"},
    {"lmtp", "smtp"},
};

static char const *
template_of(char const *kind)
{
    for (unsigned int i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kind, kinds[i].kind))
            return kinds[i].template;
    return NULL;
}

enum listener_check
listener_check(char const *kind, char const *address, char const *port)
{
    ip46 ip;
    uint16_t n;

    if (!template_of(kind))
        return LISTENER_KIND;
    if (!*address || ip46_scan(address, &ip) != strlen(address))
        return LISTENER_ADDRESS;
    if (!uint160_scan(port, &n) || !n)
        return LISTENER_PORT;
    return LISTENER_GOOD;
}

static int
join(stralloc *to, char const *const *parts, size_t n)
{
    to->len = 0;
    for (size_t i = 0; i < n; i++)
        if (!stralloc_cats(to, parts[i]))
            return 0;
    return stralloc_0(to);
}

#define JOIN(to, ...)                                                                                                  \
    join(to, (char const *const[]){__VA_ARGS__}, sizeof((char const *const[]){__VA_ARGS__}) / sizeof(char const *))

/* Is it what the file says? */
static int
unchanged(char const *path, stralloc const *text)
{
    stralloc old = STRALLOC_ZERO;
    int same = openslurpclose(&old, path) && old.len == text->len && !memcmp(old.s, text->s, old.len);

    stralloc_free(&old);
    return same;
}

int
listener_taken(char const *name, char const *kind, char const *address, char const *port)
{
    stralloc path = STRALLOC_ZERO, text = STRALLOC_ZERO;
    int taken = 0, fd;
    uint16_t n;
    ip46 ip;

    if (JOIN(&path, SERVERS "/", name, "/listen") && JOIN(&text, kind, " ", address, " ", port, "\n")) {
        text.len--;
        if (!unchanged(path.s, &text) && ip46_scan(address, &ip) && uint160_scan(port, &n)) {
            fd = socket_tcp46_coe(ip46_is6(&ip));
            taken = fd != -1 && socket_bind46_reuse(fd, &ip, n) == -1 && errno == EADDRINUSE;
            if (fd != -1)
                close(fd);
        }
    }
    stralloc_free(&path);
    stralloc_free(&text);
    return taken;
}

int
listener_add(struct operation *op, char const *name, char const *kind, char const *address, char const *port)
{
    stralloc path = STRALLOC_ZERO, text = STRALLOC_ZERO;
    int known = service_supervised(name);
    int changed = 1;

    int good = JOIN(&path, SERVERS "/", name) && service_folder(op, path.s, 0755, geteuid(), getegid()) &&
               JOIN(&path, SERVERS "/", name, "/listen") && JOIN(&text, kind, " ", address, " ", port, "\n");
    if (good) {
        text.len--;
        changed = !unchanged(path.s, &text);
        good = service_file(op, path.s, text.s, text.len, 0644, 1) && service_make(op, name, template_of(kind));
    }
    if (good && known && changed)
        good = service_signal(op, "-t", name);
    else if (good && !known && service_running())
        good = service_scan(op, "-a");
    int e = errno;
    stralloc_free(&path);
    stralloc_free(&text);
    return (errno = e, good);
}

/* Removes a folder and what is in it; s6-supervise's files are among that. */
static int
remove_tree(struct operation *op, char const *path)
{
    if (rm_rf(path) == -1)
        return service_failed(op, "remove ", path);
    return service_removed(op, path);
}

/* Waits until neither the service nor its logger is supervised, longer than timeout-kill. Returns 1, or 0 with ETIMEDOUT. */
static int
wait_ended(struct operation *op, char const *hidden)
{
    stralloc log = STRALLOC_ZERO;
    int ended = 0;

    if (!JOIN(&log, hidden, "/log"))
        return 0;
    for (unsigned int i = 0; !ended && i < WAIT_TRIES; i++) {
        ended = !service_supervised(hidden) && !service_supervised(log.s);
        /* Where s6-svscan had only just seen the folder, its order may have come before s6-supervise could hear it. */
        if (!ended && i % 100 == 99 && service_supervised(hidden) && !service_signal(op, "-dx", hidden))
            break;
        if (!ended && i % 100 == 99 && service_supervised(log.s) && !service_signal(op, "-dx", log.s))
            break;
        if (!ended)
            (void)nanosleep(&(struct timespec){.tv_nsec = WAIT_NANOSECONDS}, 0);
    }
    stralloc_free(&log);
    return ended ? 1 : (errno = ETIMEDOUT, 0);
}

int
listener_delete(struct operation *op, char const *name)
{
    stralloc server = STRALLOC_ZERO, service = STRALLOC_ZERO, gone = STRALLOC_ZERO, hidden = STRALLOC_ZERO;
    int good = JOIN(&server, SERVERS "/", name) && JOIN(&service, "service/", name) && JOIN(&gone, "service/.", name) &&
               JOIN(&hidden, ".", name);

    if (good && access(server.s, F_OK) == -1)
        good = service_failed(op, "find ", server.s);
    /* Out of s6-svscan's sight first, then ended with its logger; only then the folder goes. s6-supervise works in its
     * folder, wherever that moves. */
    if (good && access(service.s, F_OK) == 0) {
        (void)rm_rf(gone.s);
        good = durable_rename(service.s, gone.s) || service_failed(op, "move ", service.s);
        if (good && service_running())
            good =
                service_scan(op, "-an") && (wait_ended(op, hidden.s) || service_failed(op, "end the listener ", name));
        good = good && remove_tree(op, gone.s);
    }
    good = good && remove_tree(op, server.s);
    int e = errno;
    stralloc_free(&server);
    stralloc_free(&service);
    stralloc_free(&gone);
    stralloc_free(&hidden);
    return (errno = e, good);
}

/* ---- pause and start ---- */

/* "service/NAME/down", which s6-supervise looks for when it starts. ENOENT if there is no such listener. */
static int
down_file(struct operation *op, char const *name, stralloc *path)
{
    stralloc server = STRALLOC_ZERO;
    int good = JOIN(&server, SERVERS "/", name);

    if (good && access(server.s, F_OK) == -1)
        good = service_failed(op, "find ", server.s);
    stralloc_free(&server);
    return good && JOIN(path, "service/", name, "/down");
}

/* What s6-svstat says of a service; "" if it is not supervised. */
static void
svstat(char const *name, char const *fields, char text[static 64])
{
    stralloc folder = STRALLOC_ZERO;
    int p[2], status;
    ssize_t n = 0;

    if (JOIN(&folder, "service/", name) && pipecoe(p) == 0) {
        char const *const argv[] = {"s6-svstat", "-o", fields, folder.s, NULL};
        pid_t pid = fork();
        if (!pid) {
            if (dup2(p[1], 1) != -1)
                exec(argv);
            _exit(127);
        }
        close(p[1]);
        n = pid == -1 ? 0 : read(p[0], text, 63);
        close(p[0]);
        if (pid == -1 || wait_pid(pid, &status) == -1)
            n = 0;
    }
    text[n > 0 ? n : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    stralloc_free(&folder);
}

/* The group of processes that a service leads, 0 if it is down. The connections of a tcp server are of its group. */
static pid_t
group_of(char const *name)
{
    char text[64];
    int group = 0;

    svstat(name, "pid", text);
    return int0_scan(text, &group) && group > 1 && getpgid(group) == group ? group : 0;
}

int
listener_pause(struct operation *op, char const *name, int cut)
{
    stralloc down = STRALLOC_ZERO;
    int good = down_file(op, name, &down);
    pid_t group = good && cut && service_supervised(name) ? group_of(name) : 0;

    good = good && service_file(op, down.s, "", 0, 0644, 1);
    if (good && service_supervised(name))
        good = service_signal(op, "-d", name);
    if (good && group && kill(-group, SIGTERM) == -1 && errno != ESRCH)
        good = service_failed(op, "end the connections of ", name);
    int e = errno;
    stralloc_free(&down);
    return (errno = e, good);
}

int
listener_start(struct operation *op, char const *name)
{
    stralloc down = STRALLOC_ZERO;
    int good = down_file(op, name, &down);
    int paused = good && access(down.s, F_OK) == 0;

    if (paused)
        good = (unlink(down.s) == 0 || service_failed(op, "remove ", down.s)) && service_removed(op, down.s);
    if (good && service_supervised(name))
        good = service_signal(op, paused ? "-u" : "-r", name);
    int e = errno;
    stralloc_free(&down);
    return (errno = e, good);
}

static int
is_paused(char const *name)
{
    stralloc path = STRALLOC_ZERO;
    int paused = JOIN(&path, "service/", name, "/down") && access(path.s, F_OK) == 0;

    stralloc_free(&path);
    return paused;
}

static int
list_one(char const *name, stralloc *text)
{
    struct place place = {.scope = SCOPE_SERVER, .who = name};
    stralloc path = STRALLOC_ZERO, items = STRALLOC_ZERO;
    int good = place_path(&place, "listen", &path);
    int got = good ? control_file(SET_listen, path.s, &items) : 0;

    if (good && got == 1 && items.len)
        good = stralloc_cats(text, name) && stralloc_cats(text, " ") && stralloc_cats(text, items.s) &&
               stralloc_cats(text, !service_running()         ? " -"
                                   : is_paused(name)          ? " paused"
                                   : service_supervised(name) ? " up"
                                                              : " down");
    stralloc_free(&path);
    stralloc_free(&items);
    return good;
}

int
listener_list(struct operation *op, stralloc *text)
{
    stralloc names = STRALLOC_ZERO;
    int good = durable_names(SERVERS, &names) || service_failed(op, "read ", SERVERS);

    for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1)
        good = *name == '.' ||
               (list_one(name, text) && (!text->len || text->s[text->len - 1] == '\n' || stralloc_cats(text, "\n")));
    stralloc_free(&names);
    return good;
}

int
listener_status(char const *name, stralloc *text, int *up)
{
    char now[64], *pid = now, *seconds;

    svstat(name, "pid,updownfor", now);
    seconds = strchr(now, ' ');
    *up = seconds && *pid != '-' && service_supervised(name) && !is_paused(name);
    if (!list_one(name, text))
        return 0;
    if (!seconds)
        return stralloc_cats(text, "\n");
    /* Between two processes: after a restart, or while something else has the port. */
    if (!*up && text->len > 3 && !memcmp(text->s + text->len - 3, " up", 3)) {
        text->len -= 2;
        if (!stralloc_cats(text, "starting"))
            return 0;
    }
    *seconds++ = 0;
    return (*pid == '-' || (stralloc_cats(text, ", process ") && stralloc_cats(text, pid))) &&
           stralloc_cats(text, ", for ") && stralloc_cats(text, seconds) && stralloc_cats(text, " seconds\n");
}

int
listener_is(char const *name)
{
    stralloc path = STRALLOC_ZERO;
    int there = JOIN(&path, SERVERS "/", name) && access(path.s, F_OK) == 0;

    stralloc_free(&path);
    return there;
}
