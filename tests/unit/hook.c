/* smtpd/hook.c, hookd.c, hookrun.c: the frames, the reply, and real programs behind a real socket. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/tai.h>

#include "queue/envelope.h"
#include "smtpd/hook.h"
#include "smtpd/hookd.h"
#include "tests/tap.h"

#define LONG_400                                                                                                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"             \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static struct {
    enum hook_verdict verdict;
    char const *text, *reply;
} const replies[] = {
    {HOOK_NO, "", "550 5.7.1 refused by the policy of this server"},
    {HOOK_LATER, "", "451 4.7.1 not now, try again later"},
    {HOOK_NO, "no", "550 5.7.1 no"},
    {HOOK_LATER, "  come again", "451 4.7.1 come again"},
    {HOOK_NO, "450 4.7.1 greylisted", "450 4.7.1 greylisted"},
    {HOOK_NO, "450 greylisted", "450 4.7.1 greylisted"},
    {HOOK_NO, "450", "450 4.7.1 not now, try again later"},
    {HOOK_NO, "553 5.1.8  nobody there", "553 5.1.8 nobody there"},
    {HOOK_NO, "553 4.1.8 both", "553 5.7.1 4.1.8 both"},
    {HOOK_NO, "5.1.1 no such user", "550 5.1.1 no such user"},
    {HOOK_NO, "4.2.2 full", "451 4.2.2 full"},
    {HOOK_LATER, "552 5.2.2 full", "552 5.2.2 full"},
    {HOOK_NO, "250 ok", "550 5.7.1 250 ok"},
    {HOOK_NO, "2.0.0 ok", "550 5.7.1 2.0.0 ok"},
    {HOOK_NO, "560 no code", "550 5.7.1 560 no code"},
    {HOOK_NO, "5500 no code", "550 5.7.1 5500 no code"},
    {HOOK_NO, "550-more", "550 5.7.1 550-more"},
    {HOOK_NO, "5.1. x", "550 5.7.1 5.1. x"},
    {HOOK_NO, "5.1234.1 x", "550 5.7.1 5.1234.1 x"},
    {HOOK_NO, "5.1.1x", "550 5.7.1 5.1.1x"},
    {HOOK_NO, "a\tb\r\nc\200", "550 5.7.1 a?b??c?"},
    {HOOK_NO, "421 go away", "421 4.7.1 go away"},
    {HOOK_NO, LONG_400 "x", "550 5.7.1 " LONG_400},
};

static void
test_replies(void)
{
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct hook_answer a = {.verdict = replies[i].verdict};
        stralloc to = STRALLOC_ZERO;
        stralloc_copys(&a.text, replies[i].text);
        ok(hook_reply(&to, &a) && stralloc_0(&to) && !strcmp(to.s, replies[i].reply), "reply %zu: %.50s", i, to.s);
        stralloc_free(&to);
        hook_answer_free(&a);
    }
}

static struct {
    char const *text;
    int good;
} const fields[] = {
    {"X-Spam: yes\n", 1},
    {"X-Spam: yes", 0},
    {"", 0},
    {"\n", 0},
    {"X: a\n\n", 0},
    {"X: a\n\nbody\n", 0},
    {"X: a\n b\n", 1},
    {"X: a\n\tb\nY: c\n", 1},
    {"X: a\n \t\n", 0},
    {" X: a\n", 0},
    {"no field\n", 0},
    {"X: a\r\n", 0},
    {"X: \001\n", 0},
    {"X: \303\244\n", 1},
    {"From joe Thu Jan 1 00:00:00 1970\n", 0},
    {"X: " LONG_400 LONG_400 "\n", 1},
    {"X: " LONG_400 LONG_400 LONG_400 "\n", 0},
};

static struct {
    char const *answer;
    int good;
    enum hook_verdict verdict;
    char const *text, *headers;
} const answers[] = {
    {"10:verdict=go,", 1, HOOK_GO, "", ""},
    {"10:verdict=no,8:text=all,", 1, HOOK_NO, "all", ""},
    {"13:verdict=later,5:text=,11:header=X: a,9:header= b,", 1, HOOK_LATER, "", "X: a\n b\n"},
    {"11:verdict=yes,7:other=1,", 1, HOOK_YES, "", ""},
    {"", 0, 0, "", ""},
    {"8:text=all,", 0, 0, "", ""},
    {"12:verdict=nono,", 0, 0, "", ""},
    {"10:verdict=go,8:header=X,", 0, 0, "", ""},
    {"10:verdict=go,8:header=,", 0, 0, "", ""},
    {"10:verdict=go", 0, 0, "", ""},
};

static void
test_frames(void)
{
    struct hook_answer a = {.verdict = HOOK_GO};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ok(hook_fields(fields[i].text, strlen(fields[i].text)) == fields[i].good, "fields %zu", i);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        int got = hook_answer_scan((struct bytes){answers[i].answer, strlen(answers[i].answer)}, &a);
        ok(got == answers[i].good &&
               (!got || (a.verdict == answers[i].verdict && a.text.len == strlen(answers[i].text) &&
                         a.headers.len == strlen(answers[i].headers) &&
                         !strncmp(a.text.len ? a.text.s : "", answers[i].text, a.text.len) &&
                         !strncmp(a.headers.len ? a.headers.s : "", answers[i].headers, a.headers.len))),
           "answer %s", answers[i].answer);
    }
    hook_answer_free(&a);
}

static struct {
    char const *line;
    int words;
} const lines[] = {
    {"prog", 1},     {"prog a  b\tc ", 4}, {"/usr/bin/x-y_z unix:a/b", 2},
    {"a=b prog", 0}, {"prog \"a b\"", 0},  {"prog; other", 0},
    {"prog $X", 0},  {"prog >x", 0},       {"prog *", 0},
    {"~/prog", 0},   {"a | b", 0},         {"a && b", 0},
    {"a 'b'", 0},    {"a `b`", 0},         {"prog [a]", 0},
};

static void
test_lines(void)
{
    stralloc words = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ok(hookd_words(lines[i].line, &words) == lines[i].words, "words of %s", lines[i].line);
    stralloc_free(&words);
}

/* ---- a server ---- */

static pid_t
start_server(void)
{
    struct sockaddr_un const name = {.sun_family = AF_UNIX, .sun_path = "run/hook"};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t pid;

    if (bind(listener, (struct sockaddr const *)&name, sizeof name) == -1 || listen(listener, 5) == -1)
        perror("run/hook");
    pid = fork();
    if (!pid) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
        tain_now_set_stopwatch_g();
        for (;;) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (fork() == 0) {
                close(listener);
                hookd_session(fd);
                _exit(0);
            }
            close(fd);
        }
    }
    close(listener);
    return pid;
}

static void
put_setting(char const *name, char const *text)
{
    if (!openwritenclose_unsafe(name, text, strlen(text)))
        perror(name);
}

static void
put_question(stralloc *q, char const *phase)
{
    q->len = 0;
    if (!envelope_put(q, "phase", phase, strlen(phase)) || !envelope_put(q, "server", "in", 2) ||
        !envelope_put(q, "sender", "a b@c", 5) || !envelope_put(q, "recipient", "$(x)@y", 6) ||
        !envelope_put(q, "helo", "h", 1) || !envelope_put(q, "client", "192.0.2.9", 9))
        perror("question");
}

static struct {
    char const *program;
    enum hook_verdict verdict;
    char const *text, *headers;
} const programs[] = {
    {"true", HOOK_GO, "", ""},
    {"true\ntrue\n", HOOK_GO, "", ""},
    {"exit 0; false", HOOK_GO, "", ""},
    {"exit 99\nexit 100", HOOK_YES, "", ""},
    {"true\nexit 100\nexit 111", HOOK_NO, "", ""},
    {"exit 111", HOOK_LATER, "", ""},
    {"exit 1", HOOK_LATER, "", ""},
    {"exit 12", HOOK_LATER, "", ""},
    {"kill -9 $$", HOOK_LATER, "", ""},
    {"/nonexistent/program", HOOK_LATER, "", ""},
    {"echo one; echo two; exit 100", HOOK_NO, "one", ""},
    {"printf 'x\\000y'; exit 100", HOOK_NO, "x", ""},
    {"printf 'x\\ry'; exit 100", HOOK_NO, "x", ""},
    {"echo first; true\necho second; exit 100", HOOK_NO, "second", ""},
    {"echo \"$SENDER,$RECIPIENT,$HELO,$PNEU_CLIENT,$TCPREMOTEIP,$PROTO,$PNEU_PHASE\"; exit 100", HOOK_NO,
     "a b@c,$(x)@y,h,192.0.2.9,192.0.2.9,TCP,rcptcheck", ""},
    {"echo \"$SECRET.$PNEU_SERVER\"; exit 100", HOOK_NO, ".in", ""},
    {"echo 'X: 1' >&3", HOOK_GO, "", "X: 1\n"},
    {"echo 'X: 1' >&3\necho 'X: 1' >&3\necho 'Y: 2' >&3", HOOK_GO, "", "X: 1\nY: 2\n"},
    {"echo 'no field' >&3", HOOK_GO, "", ""},
    {"printf 'X: 1\\n\\nbody\\n' >&3", HOOK_GO, "", ""},
    {"cat; exit 100", HOOK_NO, "", ""},
    {"yes | head -c 1000000; exit 100", HOOK_NO, "y", ""},
    {"sleep 60", HOOK_LATER, "", ""},
    {"sleep 60 2>/dev/null & exit 100", HOOK_NO, "", ""},
};

static void
test_programs(void)
{
    struct hook h;
    struct hook_answer a = {.verdict = HOOK_GO};
    stralloc q = STRALLOC_ZERO;

    hook_init(&h, 60);
    put_question(&q, "rcptcheck");
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        put_setting("control/servers/in/rcptcheck", programs[i].program);
        put_setting("control/timeoutcheck", strcmp(programs[i].program, "sleep 60") ? "50" : "1");
        int asked = hook_ask(&h, (struct bytes){q.s, q.len}, &a);
        ok(asked && a.verdict == programs[i].verdict, "program %zu: its verdict", i);
        ok(a.verdict == HOOK_GO || (a.text.len == strlen(programs[i].text) &&
                                    !strncmp(a.text.len ? a.text.s : "", programs[i].text, a.text.len)),
           "program %zu: its text", i);
        ok(a.headers.len == strlen(programs[i].headers) &&
               !strncmp(a.headers.len ? a.headers.s : "", programs[i].headers, a.headers.len),
           "program %zu: its headers", i);
    }
    unlink("control/servers/in/rcptcheck");
    ok(hook_ask(&h, (struct bytes){q.s, q.len}, &a) && a.verdict == HOOK_GO, "without a setting it goes on");
    put_setting("control/rcptcheck", "exit 100");
    ok(hook_ask(&h, (struct bytes){q.s, q.len}, &a) && a.verdict == HOOK_NO, "the setting of all servers");
    q.len--;
    ok(!hook_ask(&h, (struct bytes){q.s, q.len}, &a), "a malformed question ends the connection");
    put_question(&q, "rcptcheck");
    ok(hook_ask(&h, (struct bytes){q.s, q.len}, &a) && a.verdict == HOOK_NO, "and the next opens another");
    hook_close(&h);
    hook_answer_free(&a);
    stralloc_free(&q);
}

static void
test_message(void)
{
    static char piece[100000];
    struct hook h;
    struct hook_answer a = {.verdict = HOOK_GO};
    stralloc q = STRALLOC_ZERO;
    int good = 1;

    memset(piece, 'x', sizeof piece);
    hook_init(&h, 60);
    put_setting("control/datacheck", "test $(wc -c) = 1000000 || exit 1\n"
                                     "test $(wc -c) = 1000000 || exit 1\n"
                                     "echo 'text'; exit 100");
    put_question(&q, "datacheck");
    if (!envelope_put(&q, "message", "1", 1))
        perror("question");
    for (int round = 0; round < 2; round++) {
        good = hook_begin(&h, (struct bytes){q.s, q.len});
        for (int i = 0; good && i < 10; i++)
            good = hook_data(&h, piece, sizeof piece);
        ok(good && hook_end(&h, &a) && a.verdict == HOOK_NO && a.text.len == 4,
           "each program reads the whole message from its beginning");
    }
    ok(hook_begin(&h, (struct bytes){q.s, q.len}) && hook_data(&h, piece, 10), "a message begins");
    hook_close(&h);
    ok(!hook_data(&h, piece, 10) && !hook_end(&h, &a), "after the connection went nothing is said");
    hook_answer_free(&a);
    stralloc_free(&q);
}

int
main(void)
{
    char home[] = "/tmp/pneu-hook.XXXXXX";
    struct hook h;
    struct hook_answer a = {.verdict = HOOK_GO};

    if (!mkdtemp(home) || chdir(home) == -1 || mkdir("run", 0755) == -1 || mkdir("control", 0755) == -1 ||
        mkdir("control/servers", 0755) == -1 || mkdir("control/servers/in", 0755) == -1)
        return 111;
    setenv("SECRET", "secret", 1);
    test_replies();
    test_frames();
    test_lines();
    hook_init(&h, 60);
    ok(!hook_ask(&h, (struct bytes){"", 0}, &a), "nobody is there");
    pid_t server = start_server();
    test_programs();
    test_message();
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    if (chdir("/") == 0)
        rm_rf(home);
    return tap_done();
}
