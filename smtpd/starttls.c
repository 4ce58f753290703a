#include "smtpd/starttls.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/monotonic.h"

#define VARIABLE "PNEU_SMTPD_STARTTLS"
#define CERTIFICATE "tls/default/chain.pem"
#define ANSWER_MAX 4096 /* bytes of environment from UCSPI-TLS */

static uint64_t
seconds(void)
{
    return (uint64_t)monotonic_ms() / 1000;
}

/* ---- who ---- */

static int
descriptor(char const *name)
{
    char const *value = getenv(name);
    unsigned int fd;

    return value && uint0_scan(value, &fd) && fd > 2 && fd < 1024 ? (int)fd : -1;
}

int
starttls_folder(char folder[static STARTTLS_PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", folder, STARTTLS_PATH_MAX);

    if (len <= 0 || len == STARTTLS_PATH_MAX)
        return 0;
    while (len > 0 && folder[len - 1] != '/')
        len--;
    folder[len] = 0;
    return len > 0;
}

void
starttls_find(struct starttls *t, uint32_t timeout)
{
    *t = (struct starttls){.by = STARTTLS_NOBODY, .timeout = timeout};
    t->control = descriptor("SSLCTLFD");
    t->read = descriptor("SSLREADFD");
    t->write = descriptor("SSLWRITEFD");
    if (t->control != -1 && t->read != -1 && t->write != -1)
        t->by = STARTTLS_UCSPI;
    else if (access(CERTIFICATE, F_OK) == 0)
        t->by = STARTTLS_TLSD;
    if (t->by != STARTTLS_NOBODY && !starttls_folder(t->folder))
        t->by = STARTTLS_NOBODY;
}

/* ---- what is handed over ---- */

static int
hand_over(struct starttls_carried const *c)
{
    char text[120];
    unsigned long long end = seconds() + c->left;

    (void)snprintf(text, sizeof text, "%llu %llu %llu %llu %llu", (unsigned long long)c->errors,
                   (unsigned long long)c->messages, (unsigned long long)c->bytes, (unsigned long long)c->failures, end);
    return setenv(VARIABLE, text, 1) == 0;
}

/* "1 2 300 0 123456": so many numbers, and nothing else. */
static int
scan_numbers(char const *s, uint64_t *numbers, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        size_t n = uint64_scan(s, numbers + i);
        if (!n || s[n] != (i + 1 < count ? ' ' : 0))
            return 0;
        s += n + 1;
    }
    return 1;
}

int
starttls_resumed(struct starttls_carried *c, char const *protocol)
{
    char const *s = getenv(VARIABLE);
    uint64_t now = seconds(), numbers[5], end;

    if (!s)
        return 0;
    if (!scan_numbers(s, numbers, sizeof numbers / sizeof *numbers))
        return -1;
    unsetenv(VARIABLE);
    c->errors = (uint32_t)numbers[0];
    c->messages = (uint32_t)numbers[1];
    c->bytes = numbers[2];
    c->failures = (uint32_t)numbers[3];
    end = numbers[4];
    c->left = end > now && end - now < UINT32_MAX ? (uint32_t)(end - now) : 1;
    return protocol ? 1 : -1;
}

/* ---- UCSPI-TLS ---- */

/* Reads until the two NULs that end the environment. Returns its length, or -1 with errno. */
static ssize_t
read_answer(int fd, char answer[static ANSWER_MAX], uint32_t timeout)
{
    uint64_t end = seconds() + timeout;
    size_t len = 0;

    while (len < 2 || answer[len - 1] || answer[len - 2]) {
        uint64_t now = seconds();
        struct pollfd x = {.fd = fd, .events = POLLIN};
        int ready = now < end ? poll(&x, 1, (int)(end - now) * 1000) : 0;
        if (ready == -1 && errno == EINTR)
            continue;
        if (ready <= 0 || len == ANSWER_MAX)
            return (errno = ready == 0 ? ETIMEDOUT : ready < 0 ? errno : EMSGSIZE, -1);
        ssize_t n = read(fd, answer + len, ANSWER_MAX - len);
        if (n <= 0)
            return n ? -1 : (errno = ECONNRESET, -1);
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int
take_environment(char *answer, size_t len)
{
    static char const *const wanted[] = {
        "SSL_PROTOCOL=", "SSL_CIPHER=", "SSL_TLS_SNI_SERVERNAME=", "SSL_PEER_CERT_HASH="};

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", (int)strlen(wanted[i]) - 1, wanted[i]);
        if (unsetenv(name) == -1)
            return 0;
    }
    /* Who does not say which protocol it is has begun one all the same. */
    if (setenv("SSL_PROTOCOL", "TLS", 1) == -1)
        return 0;
    for (char *s = answer; s < answer + len; s += strlen(s) + 1)
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!strncmp(s, wanted[i], strlen(wanted[i])) && putenv(s) != 0)
                return 0;
    return unsetenv("SSLCTLFD") == 0 && unsetenv("SSLREADFD") == 0 && unsetenv("SSLWRITEFD") == 0;
}

static char const *
take_over(struct starttls const *t)
{
    static char answer[ANSWER_MAX];
    ssize_t len;

    if (write(t->control, "Y", 1) != 1)
        return "ask for TLS by SSLCTLFD";
    len = read_answer(t->control, answer, t->timeout);
    if (len == -1)
        return "begin TLS by SSLCTLFD";
    if (!take_environment(answer, (size_t)len))
        return "make the environment";
    if (dup2(t->read, 0) == -1 || dup2(t->write, 1) == -1)
        return "move descriptors";
    close(t->control);
    close(t->read);
    close(t->write);
    return NULL;
}

/* ---- go ---- */

/* Blocked signals are a listener's: its children begin with some. */
static char const *
run(enum starttls_by by, char const *folder)
{
    static char tlsd[STARTTLS_PATH_MAX + 16], smtpd[STARTTLS_PATH_MAX + 16];
    char *with[] = {tlsd, smtpd, NULL};
    char **argv = by == STARTTLS_TLSD ? with : with + 1;
    sigset_t none;

    (void)stpcpy(stpcpy(tlsd, folder), "pneu-tlsd");
    (void)stpcpy(stpcpy(smtpd, folder), "pneu-smtpd");
    sigemptyset(&none);
    /* The instance's folder is the current one; a relative name would lead elsewhere from here. */
    if (setenv("PNEU_HOME", ".", 1) == -1 || sigprocmask(SIG_SETMASK, &none, NULL) == -1)
        return "make the environment";
    execv(argv[0], argv);
    return "run pneu-tlsd pneu-smtpd";
}

char const *
starttls_exec(struct starttls const *t, struct starttls_carried const *c)
{
    char const *problem = t->by == STARTTLS_UCSPI ? take_over(t) : NULL;

    if (problem)
        return problem;
    return hand_over(c) ? run(t->by, t->folder) : "make the environment";
}

char const *
starttls_first(void)
{
    char folder[STARTTLS_PATH_MAX];

    if (!starttls_folder(folder) || unsetenv(VARIABLE) == -1)
        return "find pneu-tlsd";
    return run(STARTTLS_TLSD, folder);
}
