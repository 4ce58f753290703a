/* What pneu-send writes into a queue file: the marks, the history behind them, the time of the next attempt; and into no other file. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crc.h"
#include "queue/envelope.h"
#include "send/marks.h"
#include "send/message.h"
#include "tests/tap.h"

#define HISTORY 16777216 /* bytes of it that are read */

static struct send s;
static char path[MESSAGE_PATH];
static int errors; /* descriptor 2 */

/* A queue file of three recipients, as pneu-send has it loaded. */
static struct message
begin(void)
{
    static struct message m;
    stralloc envelope = STRALLOC_ZERO;
    char header[FILE_HEADER];
    char const *why;
    struct stat st;
    int fd;

    if (m.fd)
        close(m.fd);
    stralloc_free(&m.log);
    file_free(&m.file);
    memset(&m, 0, sizeof m);
    memcpy(m.id, "0660d04f07c5323c94550402bfaf", ID_SIZE);
    message_path(path, m.id, 0);
    (void)unlink(path);
    envelope_put(&envelope, "from", "a@x", 3);
    for (unsigned int i = 0; i < 3; i++)
        envelope_put(&envelope, "to", "b@y", 3);
    file_header_fmt(header,
                    &(struct file_header){0, (uint32_t)envelope.len, 3, 0, crc32c(0, envelope.s, envelope.len)});
    stralloc_catb(&envelope, "TTT", 3);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1 || write(fd, header, sizeof header) != sizeof header ||
        write(fd, envelope.s, envelope.len) != (ssize_t)envelope.len || close(fd) == -1)
        exit(111);
    stralloc_free(&envelope);
    m.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (m.fd == -1 || fstat(m.fd, &st) == -1 || file_read(m.fd, &m.file, &why) != 1)
        exit(111);
    m.dev = st.st_dev;
    m.ino = st.st_ino;
    memset(&s.syncs, 0, sizeof s.syncs);
    for (uint32_t i = 0; i < SEND_SYNCS; i++)
        s.syncs.free[i] = i;
    s.syncs.nfree = SEND_SYNCS;
    return m;
}

static void
append(char const *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    if (fd == -1 || write(fd, text, len) != (ssize_t)len || close(fd) == -1)
        exit(111);
}

/* Is this all that is behind the envelope? */
static int
tail_is(struct message const *m, char const *text)
{
    static char found[1024];
    ssize_t n = pread(m->fd, found, sizeof found, file_status(&m->file.header));

    return n == (ssize_t)strlen(text) && !memcmp(found, text, (size_t)n);
}

/* Were there complaints since it was last asked? */
static int
complained(void)
{
    int any = lseek(errors, 0, SEEK_CUR) > 0;

    if (ftruncate(errors, 0) == -1 || lseek(errors, 0, SEEK_SET) == -1)
        exit(111);
    return any;
}

static void
mark(struct message *m, uint32_t low, uint32_t high, char status)
{
    memset(m->file.status + low, status, high - low);
    m->low = low;
    m->high = high;
}

static void
marks(void)
{
    struct message m = begin();

    ok(marks_write(&s, &m) == 1 && !m.syncs && tail_is(&m, "TTT"), "nothing to write, nothing to sync");
    mark(&m, 1, 2, STATUS_DONE);
    ok(marks_write(&s, &m) == 1 && tail_is(&m, "TDT") && m.syncs == 1 && m.low >= m.high && !m.unclean,
       "a mark is written, and its sync asked for");
    m.synclog = 1;
    ok(marks_write(&s, &m) == 1 && m.syncs == 2 && !m.synclog, "a sync of the history alone");
    s.syncs.nfree = 0;
    mark(&m, 0, 1, STATUS_FAILED);
    ok(marks_write(&s, &m) == 1 && tail_is(&m, "FDT") && m.syncs == 2 && !m.unclean && !complained(),
       "where no helper has room it is synced at once");
}

/* The disk is full: a mark is not forgotten, a line of the history is. */
static void
full(void)
{
    struct message m = begin();
    struct rlimit limit, before;

    (void)signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = (rlim_t)file_status(&m.file.header) + 2;
    mark(&m, 2, 3, STATUS_DONE);
    stralloc_cats(&m.log, "one\n");
    setrlimit(RLIMIT_FSIZE, &limit);
    ok(marks_write(&s, &m) == 0 && complained() && m.low == 2 && m.high == 3 && !m.syncs && !m.gone,
       "a mark that cannot be written is written later");
    limit.rlim_cur += 3;
    stralloc_cats(&m.log, "one\n");
    ok(setrlimit(RLIMIT_FSIZE, &limit) == 0 && marks_write(&s, &m) == 1 && tail_is(&m, "TTD"),
       "a line that is written in part is taken back");
    setrlimit(RLIMIT_FSIZE, &before);
    stralloc_cats(&m.log, "two\n");
    ok(marks_write(&s, &m) == 1 && tail_is(&m, "TTDtwo\n"), "and the next is whole");
}

static void
history(void)
{
    struct message m = begin();
    stralloc log = STRALLOC_ZERO;
    char line[] = "0123456789abcde\n";

    ok(!marks_log(&m, &log), "no history");
    stralloc_cats(&m.log, "one\n");
    ok(marks_write(&s, &m) == 1 && tail_is(&m, "TTTone\n") && !m.log.len && !m.syncs && !complained(),
       "a line is written, and needs no sync");
    append("torn", 4);
    stralloc_cats(&m.log, "two\n");
    ok(marks_write(&s, &m) == 1 && tail_is(&m, "TTTone\ntwo\n") && !complained(), "over a torn one");
    append("theirs\n", 7);
    stralloc_cats(&m.log, "three\n");
    ok(marks_write(&s, &m) == 1 && tail_is(&m, "TTTone\ntwo\nthree\n"), "its end is looked for once");
    ok(marks_log(&m, &log) == 1 && log.len == 14 && !memcmp(log.s, "one\ntwo\nthree\n", 14), "it is read back");
    for (size_t i = 0; i < HISTORY / 16; i++)
        append(line, 16);
    ok(marks_log(&m, &log) == 1 && log.len == HISTORY && !memcmp(log.s, line, 16), "of a long one its end");
    int fd = m.fd;
    m.fd = -1;
    ok(!marks_log(&m, &log) && errno == EBADF, "without the file there is none");
    m.fd = open(path, O_WRONLY | O_CLOEXEC);
    ok(!marks_log(&m, &log), "nor where it cannot be read");
    stralloc_cats(&m.log, "four\n");
    m.logend = 0;
    mark(&m, 0, 1, STATUS_DONE);
    ok(marks_write(&s, &m) == 1 && !m.log.len && m.syncs == 1, "that its end cannot be found stops no mark");
    close(m.fd);
    m.fd = fd;
}

static void
next_attempt(void)
{
    struct message m = begin();
    struct stat st;

    m.again_at = 2000000000;
    m.attempt = TRY_UNDER_WAY;
    ok(marks_write(&s, &m) == 1 && fstat(m.fd, &st) == 0 && st.st_mtime != 2000000000,
       "an attempt is under way: no time yet");
    m.attempt = TRY_OVER;
    ok(marks_write(&s, &m) == 1 && fstat(m.fd, &st) == 0 && st.st_mtime == 2000000000, "it is over: the next one's");
    m.again_at = 0;
    ok(marks_write(&s, &m) == 1 && fstat(m.fd, &st) == 0 && st.st_mtime == 2000000000, "there is none: no time");
}

/* Whatever has that name now: it is not written to, nor what is open as descriptor 0. */
static void
others(void)
{
    static char const *const what[] = {"nothing", "another file", "a link", "another file, known to be gone"};
    struct stat st;

    for (unsigned int i = 0; i < 4; i++) {
        struct message m = begin();
        char away[] = "queue/away";
        int fd;

        if (rename(path, away) == -1 || ftruncate(0, 0) == -1)
            exit(111);
        if (i & 1) {
            fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            close(fd);
        } else if (i == 2 && symlink("../away", path) == -1)
            exit(111);
        m.gone = i == 3;
        mark(&m, 0, 3, STATUS_DONE);
        stralloc_cats(&m.log, "one\n");
        /* A link is nobody's doing that we know of: whoever put it there may take it away. */
        ok(marks_write(&s, &m) == (i != 2) && m.gone == (i != 2), "its name leads to %s", what[i]);
        ok(tail_is(&m, "TTT") && !m.syncs && fstat(0, &st) == 0 && st.st_size == 0, "nothing is written");
        ok(complained() == (i == 2) && (i != 1 || (stat(path, &st) == 0 && !st.st_size)), "and said where it is odd");
    }
}

int
main(void)
{
    char folder[] = "/tmp/pneu-send-marks.XXXXXX";
    char command[] = "rm -rf /tmp/pneu-send-marks.XXXXXX";

    errors = memfd_create("errors", MFD_CLOEXEC);
    if (dup2(errors, 2) == -1 || dup2(memfd_create("zero", MFD_CLOEXEC), 0) == -1)
        return 111;
    if (!mkdtemp(folder) || chdir(folder) == -1 || mkdir("queue", 0755) == -1 || mkdir("queue/new", 0755) == -1)
        return 111;
    marks();
    full();
    history();
    next_attempt();
    others();
    memcpy(command + sizeof command - sizeof folder, folder, sizeof folder);
    if (chdir("/") == -1 || system(command) != 0)
        return 111;
    return tap_done();
}
