#include "tests/tool/fakeauth.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/auth.h"

static int
read_question(int fd, stralloc *in, struct auth_question *q)
{
    in->len = 0;
    for (;;) {
        struct bytes rest = {in->s, in->len};
        int got = in->len ? auth_question_take(&rest, q) : 0;
        if (got)
            return got == 1;
        if (!stralloc_readyplus(in, 4096))
            _exit(111);
        ssize_t n = read(fd, in->s + in->len, 4096);
        if (n <= 0)
            return 0;
        in->len += (size_t)n;
    }
}

static void
store(unsigned int n, struct auth_question const *q)
{
    struct bytes const parts[] = {q->mechanism, q->service, q->client, q->listener, q->tls};
    char name[64];

    snprintf(name, sizeof name, "%u.question", n);
    FILE *f = fopen(name, "w");
    if (!f)
        _exit(111);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fprintf(f, "%s%.*s", i ? "|" : "", (int)parts[i].len, parts[i].s);
    for (size_t i = 0; i < q->count; i++) {
        fputc('|', f);
        fwrite(q->said[i].s, 1, q->said[i].len, f);
    }
    if (fclose(f))
        _exit(111);
}

static struct bytes
take(struct bytes *in)
{
    char const *end = in->len ? memchr(in->s, '|', in->len) : NULL;
    struct bytes part = {in->s, end ? (size_t)(end - in->s) : in->len};

    in->s += part.len + (end != NULL);
    in->len -= part.len + (end != NULL);
    return part;
}

static void
answer(int fd, stralloc const *text)
{
    struct bytes in = {text->s, text->len};
    stralloc out = STRALLOC_ZERO;
    struct auth_answer a;

    struct bytes class = take(&in);
    a.class = class.len ? *class.s : '?';
    a.data = take(&in);
    a.login = take(&in);
    a.name = take(&in);
    a.rights = take(&in);
    a.reason = take(&in);
    if (!auth_answer_put(&out, &a))
        _exit(111);
    (void)!send(fd, out.s, out.len, MSG_NOSIGNAL);
    stralloc_free(&out);
}

void
fakeauth_serve(int listener, struct fakeauth const *f)
{
    stralloc in = STRALLOC_ZERO;
    struct auth_question q;

    for (unsigned int n = 0;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd == -1)
            _exit(111);
        if (read_question(fd, &in, &q)) {
            store(n + 1, &q);
            if (n < f->count)
                answer(fd, f->answers + n);
            n++;
        }
        close(fd);
    }
}
