#include "access/refuse.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <skalibs/iopause.h>
#include <skalibs/tai.h>

#include "access/aside.h"

#define SECONDS 10   /* in all */
#define COMMANDS 20  /* so many are answered */
#define COMMAND 2048 /* bytes, no longer than any that pneu-smtpd takes */

unsigned int
refuse_reply(char to[static REFUSE_REPLY], char const *text)
{
    static char const code[] = "554 5.7.1 ";
    int coded = (*text == '4' || *text == '5') && strlen(text) > 3 && text[1] >= '0' && text[1] <= '9' &&
                text[2] >= '0' && text[2] <= '9' && text[3] == ' ';
    unsigned int len = 0;

    if (!coded)
        for (; code[len]; len++)
            to[len] = code[len];
    for (; *text && len + 3 < REFUSE_REPLY; text++, len++) /* with CR LF the longest of RFC 5321 */
        to[len] = *text < 32 || *text > 126 ? '?' : *text;
    to[len] = 0;
    return len;
}

static int
say(char const *text, tain const *deadline)
{
    iopause_fd client = {.fd = 1, .events = IOPAUSE_WRITE};
    char line[REFUSE_REPLY + 2];
    size_t len = strnlen(text, REFUSE_REPLY);

    memcpy(line, text, len);
    line[len] = '\r';
    line[len + 1] = '\n';
    /* A reply that does not go into an empty socket at once is not waited for. */
    return iopause_g(&client, 1, deadline) > 0 && write(1, line, len + 2) == (ssize_t)len + 2;
}

/* Answers the whole lines in s; returns the bytes used, or -1 after QUIT. */
static int
answer(char const *s, size_t len, unsigned int *commands, tain const *deadline)
{
    size_t at = 0;

    for (char const *lf; (lf = memchr(s + at, '\n', len - at)); at = (size_t)(lf - s) + 1) {
        if (len - at >= 5 && !strncasecmp(s + at, "QUIT", 4) && (s[at + 4] == '\r' || s[at + 4] == '\n')) {
            say("221 5.7.1 goodbye", deadline);
            return -1;
        }
        if (++*commands > COMMANDS || !say("503 5.5.1 I take no mail from you, say QUIT", deadline))
            return -1;
    }
    return (int)at;
}

static void
converse(tain const *deadline)
{
    iopause_fd client = {.fd = 0, .events = IOPAUSE_READ};
    char line[COMMAND];
    size_t len = 0;
    unsigned int commands = 0;

    while (len < sizeof line && iopause_g(&client, 1, deadline) > 0) {
        ssize_t got = read(0, line + len, sizeof line - len);
        if (got <= 0)
            return;
        len += (size_t)got;
        int used = answer(line, len, &commands, deadline);
        if (used == -1)
            return;
        len -= (size_t)used;
        memmove(line, line + used, len);
    }
}

void
refuse_client(char const *reply, char const *kind)
{
    tain deadline;

    if (kind && (!strcmp(kind, "submissions") || !strcmp(kind, "pop3s")))
        return;
    tain_now_set_stopwatch_g();
    tain_addsec_g(&deadline, SECONDS);
    if (kind && !strcmp(kind, "pop3")) {
        say("-ERR you may not come in", &deadline);
        return;
    }
    if (say(reply, &deadline) && !strncmp(reply, "554", 3) && aside_confine(0))
        converse(&deadline);
}
