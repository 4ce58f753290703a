/* queue/intake: the client against a server that says, or does, everything. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/intake.h"
#include "tests/tap.h"

static char dir[] = "/tmp/pneu-intake-XXXXXX";

static int
serve_at(char const *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(sa.sun_path, path);
    if (bind(s, (struct sockaddr *)&sa, sizeof sa) == -1 || listen(s, 4) == -1)
        exit(111);
    return s;
}

/* A server that reads until it has seen `until` (or the end), says `answer`,
 * and ends. */
static pid_t
server(int s, char const *until, char const *answer)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    alarm(60);
    static char got[1 << 20];
    size_t len = 0;
    int c = accept(s, 0, 0);
    for (ssize_t n; !memmem(got, len, until, strlen(until)) && (n = read(c, got + len, sizeof got - len)) > 0;)
        len += (size_t)n;
    (void)!write(c, answer, strlen(answer));
    _exit(0);
}

static void
deadline(struct intake *in, int seconds)
{
    tain_now_set_stopwatch_g();
    tain_addsec_g(&in->deadline, seconds);
}

static void
answers(int s)
{
    static struct {
        char const *answer;
        int good;
        char class;
        unsigned int exit;
        char const *text;
    } const cases[] = {
        {"11:K0 2.0.0 ID,", 1, 'K', 0, "2.0.0 ID"},
        {"20:Z53 4.3.1 disk full!,", 1, 'Z', 53, "4.3.1 disk full!"},
        {"12:D31 5.0.0 no,", 1, 'D', 31, "5.0.0 no"},
        {"8:K0 2.0.0,", 1, 'K', 0, "2.0.0"},
        {"11:X0 2.0.0 ID,", 0, 0, 0, 0},
        {"10:K 2.0.0 ID,", 0, 0, 0, 0},
        {"2:K0,", 0, 0, 0, 0},
        {"11:K0 2.0.0 ID", 0, 0, 0, 0},
        {"11:K0 2.0.0 ID,11:K0 2.0.0 ID,", 0, 0, 0, 0},
        {"", 0, 0, 0, 0},
        {"HTTP/1.0 200 OK", 0, 0, 0, 0},
        {"99999:K", 0, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct intake in = INTAKE_ZERO;
        struct intake_answer a;
        pid_t pid = server(s, "to=c@d,,", cases[i].answer);
        deadline(&in, 60);
        int good = intake_open(&in) && intake_begin(&in, (struct bytes){"6:from=x,", 9}) &&
                   intake_data(&in, "hello\n", 6) && intake_end(&in, (struct bytes){"6:to=c@d,", 9}, &a);
        ok(good == cases[i].good &&
               (!good || (a.class == cases[i].class && a.exit == cases[i].exit && !strcmp(a.text, cases[i].text))),
           "answer \"%s\"", cases[i].answer);
        intake_close(&in);
        waitpid(pid, 0, 0);
    }
}

static void
refusal(int s)
{
    struct intake in = INTAKE_ZERO;
    struct intake_answer a;
    static char block[100000];
    pid_t pid = server(s, "xxxx", "18:Z53 4.3.1 full up.,");
    int good = 1;

    memset(block, 'x', sizeof block);
    deadline(&in, 60);
    good = intake_open(&in) && intake_begin(&in, (struct bytes){"", 0});
    for (int i = 0; good && i < 100; i++)
        good = intake_data(&in, block, sizeof block);
    ok(good, "writing on into a refusal");
    ok(good && intake_end(&in, (struct bytes){"", 0}, &a) && a.class == 'Z' && a.exit == 53, "its answer arrives");
    intake_close(&in);
    waitpid(pid, 0, 0);
}

static void
silence(int s)
{
    struct intake in = INTAKE_ZERO;
    struct intake_answer a;

    deadline(&in, 1);
    ok(intake_open(&in) && intake_begin(&in, (struct bytes){"", 0}) && !intake_answer(&in, &a) && errno == ETIMEDOUT,
       "a silent server is given up at the deadline");
    ok(in.fd == -1 && !intake_data(&in, "x", 1) && errno == ENOTCONN, "and its session is closed");
    close(accept(s, 0, 0));
}

/* A daemon that hangs takes no connection: the room for those that wait fills up. */
static void
crowd(int s)
{
    struct intake in[10];
    unsigned int n = 0;
    int e;

    alarm(60);
    do {
        in[n] = (struct intake)INTAKE_ZERO;
        deadline(in + n, 1);
    } while (intake_open(in + n) && ++n < 10);
    e = errno;
    ok(n && n < 10 && e == ETIMEDOUT && in[n].fd == -1, "of %u connections the last is given up at the deadline",
       n + 1);
    for (; n--; close(accept(s, 0, 0)))
        intake_close(in + n);
    alarm(0);
}

int
main(void)
{
    struct intake in = INTAKE_ZERO;
    int s;

    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dir) || chdir(dir) == -1 || mkdir("run", 0700) == -1 || mkdir("control", 0700) == -1)
        return 111;
    ok(!intake_open(&in) && errno == ENOENT && in.fd == -1, "no server");
    s = serve_at("run/intake");
    answers(s);
    refusal(s);
    silence(s);
    crowd(s);

    close(open("control/filter", O_WRONLY | O_CREAT, 0600));
    ok(!intake_open(&in) && errno == ENOENT, "with control/filter it is run/filter");
    int f = serve_at("run/filter");
    ok(intake_open(&in), "which is there now");
    close(accept(f, 0, 0));
    intake_close(&in);
    setenv("PNEU_INTAKE", "run/intake", 1);
    ok(intake_open(&in), "$PNEU_INTAKE names another");
    close(accept(s, 0, 0));
    intake_close(&in);
    return tap_done();
}
