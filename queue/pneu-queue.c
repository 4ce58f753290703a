/* pneu-queue(8): qmail-queue's contract. The message on descriptor 0, the
 * envelope on 1, the answer is the exit code. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <skalibs/djbunix.h>
#include <skalibs/strerr.h>
#include <skalibs/tai.h>
#include <skalibs/types.h>

#include "control/control.h"
#include "queue/inqueue.h"

#define USAGE "pneu-queue"

/* $PNEU_ENVELOPE: the descriptor that holds more records, -1 if there is none, or whoever stood before us in the chain
 * has closed it: then its number would become that of our session. */
static int
extra_descriptor(void)
{
    char const *s = getenv("PNEU_ENVELOPE");
    unsigned int fd;

    if (!s || !*s)
        return -1;
    if (!uint0_scan(s, &fd) || fd < 3 || fd > 65535)
        strerr_dief(QUEUE_FORMAT, "$PNEU_ENVELOPE is no descriptor");
    return fcntl((int)fd, F_GETFD) == -1 ? -1 : (int)fd;
}

/* A descriptor that is not there would become that of our session, and be read as the message. */
static void
check_descriptors(void)
{
    if (fcntl(0, F_GETFD) == -1)
        strerr_diefusys(QUEUE_READ, "read the message");
    if (fcntl(1, F_GETFD) == -1)
        strerr_diefusys(QUEUE_READ, "read the envelope");
    if (!fd_ensure_open(2, 1))
        _exit(QUEUE_BUG);
}

static int
connect_code(int e)
{
    return e == ENOMEM ? QUEUE_MEMORY : QUEUE_NO_INTAKE;
}

int
main(int argc, char const *const *argv)
{
    struct intake in = INTAKE_ZERO;
    struct intake_answer answer;
    char const *text;
    uint32_t seconds;
    struct inqueue q = {.message = 0, .addresses = 1};
    int e;

    PROG = "pneu-queue";
    (void)argv;
    if (argc != 1)
        strerr_dieusage(QUEUE_REFUSED_NOW, USAGE);
    check_descriptors();
    q.extra = extra_descriptor();
    inqueue_look(&q);
    if (!control_home())
        strerr_diefusys(QUEUE_HOME, "change into the instance ", control_homename());
    if (!control_uint(SET_timeoutintake, &seconds))
        strerr_diefusys(QUEUE_FOLDER, "read ", control_path(SET_timeoutintake));
    tain_now_set_stopwatch_g();
    tain_addsec_g(&in.deadline, (int)seconds);
    if (!intake_open(&in))
        strerr_diefusys(connect_code(errno), "reach the intake");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || !inqueue_confine())
        strerr_diefusys(QUEUE_MEMORY, "confine");
    e = inqueue(&q, &in, &answer, &text);
    if (e)
        strerr_dief(e, text);
    return 0;
}
