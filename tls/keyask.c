#include "tls/keyask.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int
keyask_open(struct keyask *k, unsigned int seconds)
{
    static struct sockaddr_un const name = {.sun_family = AF_UNIX, .sun_path = "run/key"};
    struct timeval t = {.tv_sec = seconds ? seconds : 1};

    k->count = 0;
    k->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (k->fd == -1)
        return 0;
    if (setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0 &&
        setsockopt(k->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0 &&
        connect(k->fd, (struct sockaddr const *)&name, sizeof name) == 0)
        return 1;
    int e = errno;
    keyask_close(k);
    return (errno = e, 0);
}

void
keyask_close(struct keyask *k)
{
    if (k->fd != -1)
        close(k->fd);
    k->fd = -1;
}

static int
receive(int fd, unsigned char *s, size_t len)
{
    while (len) {
        ssize_t n = recv(fd, s, len, MSG_WAITALL);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? 0 : (errno = EPIPE, 0);
        s += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Returns the length of the answer, without its status; -1 with errno. */
static ssize_t
ask(struct keyask *k, unsigned char *request, size_t len, unsigned char *answer, size_t size)
{
    unsigned char header[KEYWIRE_HEADER];
    size_t got;

    keywire_header(request, len - KEYWIRE_HEADER);
    if (k->fd == -1)
        return (errno = EPIPE, -1);
    if (send(k->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len || !receive(k->fd, header, sizeof header))
        return -1;
    got = keywire_length(header);
    if (!got || got > size)
        return (errno = EPROTO, -1);
    if (!receive(k->fd, answer, got))
        return -1;
    if (answer[0] != KEYWIRE_YES) {
        errno = answer[0] == KEYWIRE_NONE ? ENOENT : answer[0] == KEYWIRE_LATER ? EAGAIN : EPERM;
        return -1;
    }
    return (ssize_t)got - 1;
}

int
keyask_choose(struct keyask *k, char const *name)
{
    unsigned char request[KEYWIRE_HEADER + 1 + KEYWIRE_NAME_MAX];
    size_t len = strnlen(name, KEYWIRE_NAME_MAX + 1);
    ssize_t got;

    if (len > KEYWIRE_NAME_MAX)
        return (errno = EINVAL, 0);
    request[KEYWIRE_HEADER] = KEYWIRE_CHOOSE;
    memcpy(request + KEYWIRE_HEADER + 1, name, len);
    if (!k->answer) {
        void *pages = mmap(NULL, KEYWIRE_ANSWER_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
            return 0;
        k->answer = pages;
    }
    got = ask(k, request, KEYWIRE_HEADER + 1 + len, k->answer, KEYWIRE_ANSWER_MAX);
    if (got == -1)
        return 0;
    if (got < 2)
        return (errno = EPROTO, 0);
    k->type = k->answer[1];
    k->curve = k->answer[2];
    struct bytes chain = {(char const *)k->answer + 3, (size_t)got - 2};
    for (k->count = 0; k->count < TLSPEM_CERTIFICATES && tlspem_take(&chain, k->chain + k->count);)
        k->count++;
    return k->count && !chain.len ? 1 : (errno = EPROTO, 0);
}

size_t
keyask_sign(struct keyask *k, unsigned int scheme, unsigned char const *what, size_t len, unsigned char *signature,
            size_t size)
{
    unsigned char request[KEYWIRE_HEADER + 3 + KEYWIRE_SIGNED_MAX], answer[1 + KEYWIRE_SIGNATURE_MAX];
    ssize_t got;

    if (len > KEYWIRE_SIGNED_MAX)
        return (errno = EMSGSIZE, 0);
    request[KEYWIRE_HEADER] = KEYWIRE_SIGN;
    request[KEYWIRE_HEADER + 1] = (unsigned char)(scheme >> 8);
    request[KEYWIRE_HEADER + 2] = (unsigned char)scheme;
    memcpy(request + KEYWIRE_HEADER + 3, what, len);
    got = ask(k, request, KEYWIRE_HEADER + 3 + len, answer, sizeof answer);
    keyask_close(k);
    if (got == -1)
        return 0;
    if (!got || (size_t)got > size)
        return (errno = EPROTO, 0);
    memcpy(signature, answer + 1, (size_t)got);
    return (size_t)got;
}

void
keyask_forget(struct keyask *k)
{
    keyask_close(k);
    k->count = 0;
    if (k->answer)
        munmap(k->answer, KEYWIRE_ANSWER_MAX);
    k->answer = NULL;
}
