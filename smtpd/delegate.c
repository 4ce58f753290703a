#include "smtpd/delegate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#include <skalibs/iopause.h>
#include <skalibs/types.h>

#include "lib/confine.h"

int
delegate_confine(void)
{
    static struct confine const c = {
        .may = 0,
        .as = 67108864,
        .nofile = CONFINE_SAME,
        .fsize = CONFINE_SAME,
        .nproc = 0,
    };

    return confine(&c);
}

/* ---- where it listens ---- */

static int
scan_unix(char const *path, struct delegate_address *a)
{
    struct sockaddr_un *name = (struct sockaddr_un *)&a->name;
    size_t len = strlen(path);

    if (!len || len >= sizeof name->sun_path)
        return 0;
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, len + 1);
    a->len = sizeof *name;
    return 1;
}

static int
scan_inet(char const *text, struct delegate_address *a)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&a->name;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a->name;
    char const *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    size_t len = colon ? (size_t)(colon - text) : 0;
    uint16_t port;

    if (!len || len >= sizeof host || !uint160_scan(colon + 1, &port) || !port)
        return 0;
    memcpy(host, text, len);
    host[len] = 0;
    if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        a->len = sizeof *four;
        return 1;
    }
    if (host[0] != '[' || host[len - 1] != ']')
        return 0;
    host[len - 1] = 0;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    a->len = sizeof *six;
    return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1;
}

int
delegate_address_scan(char const *text, struct delegate_address *a)
{
    memset(a, 0, sizeof *a);
    if ((!strncmp(text, "unix:", 5) && scan_unix(text + 5, a)) ||
        (!strncmp(text, "inet:", 5) && scan_inet(text + 5, a)))
        return 1;
    return (errno = EINVAL, 0);
}

/* ---- the request ---- */

static char const *
variable(char const *name)
{
    char const *value = getenv(name);

    return value ? value : "";
}

/* Values come from strangers: a newline in one would be an attribute of theirs. */
static int
put(stralloc *to, char const *name, char const *value)
{
    size_t at = to->len + strlen(name) + 1;

    if (!stralloc_cats(to, name) || !stralloc_append(to, '=') || !stralloc_cats(to, value))
        return 0;
    for (; at < to->len; at++)
        if ((unsigned char)to->s[at] < 32 || to->s[at] == 127)
            to->s[at] = '?';
    return stralloc_append(to, '\n');
}

static char const *
state(void)
{
    static char const *const states[][2] = {
        {"connectcheck", "CONNECT"}, {"helocheck", "EHLO"},           {"mailcheck", "MAIL"},
        {"rcptcheck", "RCPT"},       {"datacheck", "END-OF-MESSAGE"},
    };
    char const *phase = variable("PNEU_PHASE");

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(phase, states[i][0]))
            return strcmp(phase, "helocheck") || strcmp(variable("PNEU_PROTOCOL"), "SMTP") ? states[i][1] : "HELO";
    return "RCPT";
}

int
delegate_request(stralloc *to)
{
    static char const *const plain[][2] = {
        {"client_address", "PNEU_CLIENT"}, {"helo_name", "PNEU_HELO"},          {"sender", "PNEU_SENDER"},
        {"recipient", "PNEU_RECIPIENT"},   {"instance", "PNEU_INSTANCE"},       {"sasl_username", "PNEU_LOGIN"},
        {"sasl_method", "PNEU_MECHANISM"}, {"encryption_protocol", "PNEU_TLS"}, {"encryption_cipher", "PNEU_CIPHER"},
    };
    char const *host = variable("PNEU_HOST"), *size = variable("PNEU_SIZE"), *count = variable("PNEU_RECIPIENTS");
    char const *name = variable("PNEU_PROTOCOL"), *where = state();
    int verified = !strcmp(variable("PNEU_RDNS"), "ok"); /* servers let clients in by this name */

    if (!put(to, "request", "smtpd_access_policy") || !put(to, "protocol_state", where) ||
        !put(to, "protocol_name", *name ? name : "ESMTP") || !put(to, "queue_id", "") ||
        !put(to, "client_name", *host && verified ? host : "unknown") ||
        !put(to, "reverse_client_name", *host ? host : "unknown") || !put(to, "size", *size ? size : "0") ||
        !put(to, "recipient_count", strcmp(where, "END-OF-MESSAGE") || !*count ? "0" : count) ||
        !put(to, "sasl_sender", "") || !put(to, "etrn_domain", "") || !put(to, "stress", "") ||
        !put(to, "ccert_subject", "") || !put(to, "ccert_issuer", "") || !put(to, "ccert_fingerprint", "") ||
        !put(to, "encryption_keysize", "0"))
        return 0;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!put(to, plain[i][0], variable(plain[i][1])))
            return 0;
    return stralloc_append(to, '\n');
}

/* ---- the reply ---- */

int
delegate_reply_ends(struct bytes reply)
{
    return (reply.len && *reply.s == '\n') || memmem(reply.s, reply.len, "\n\n", 2) != NULL;
}

static struct bytes
find_action(struct bytes reply)
{
    while (reply.len) {
        char const *lf = memchr(reply.s, '\n', reply.len);
        size_t n = lf ? (size_t)(lf - reply.s) : reply.len;
        if (!n)
            break;
        if (n > 7 && !strncasecmp(reply.s, "action=", 7))
            return (struct bytes){reply.s + 7, n - 7};
        n += lf != NULL;
        reply.s += n;
        reply.len -= n;
    }
    return (struct bytes){"", 0};
}

static struct bytes
take_word(struct bytes *in)
{
    struct bytes word = {in->s, 0};

    while (in->len && (*in->s == ' ' || *in->s == '\t')) {
        in->s++;
        in->len--;
    }
    word.s = in->s;
    while (word.len < in->len && in->s[word.len] != ' ' && in->s[word.len] != '\t')
        word.len++;
    in->s += word.len;
    in->len -= word.len;
    while (in->len && (*in->s == ' ' || *in->s == '\t')) {
        in->s++;
        in->len--;
    }
    return word;
}

static int
is_number(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.s[i] < '0' || word.s[i] > '9')
            return 0;
    return word.len != 0;
}

enum effect { GO, OK, NO, LATER, FIELD, NOTE };

static int
set(stralloc *to, char const *before, struct bytes text)
{
    return stralloc_copys(to, before) && stralloc_catb(to, text.s, text.len) && stralloc_append(to, '\n');
}

/* The names of access(5) that make sense to us. DEFER_IF_REJECT has nothing to say where nobody else rejects. */
static int
effect_of(struct bytes word, enum effect *effect, char const **code)
{
    static struct {
        char const *word;
        enum effect effect;
        char const *code;
    } const table[] = {
        {"DUNNO", GO, ""},           {"OK", OK, ""},           {"PERMIT", OK, ""},
        {"REJECT", NO, "554 "},      {"DEFER", LATER, "450 "}, {"DEFER_IF_PERMIT", LATER, "450 "},
        {"DEFER_IF_REJECT", GO, ""}, {"PREPEND", FIELD, ""},   {"INFO", NOTE, ""},
        {"WARN", NOTE, ""},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strlen(table[i].word) == word.len && !strncasecmp(table[i].word, word.s, word.len)) {
            *effect = table[i].effect;
            *code = table[i].code;
            return 1;
        }
    return 0;
}

static int
scan_number(struct bytes action, struct bytes word, int ok, struct delegate_action *a)
{
    if (word.len != 3 || (*word.s != '4' && *word.s != '5')) {
        a->exit = ok;
        return 1;
    }
    a->exit = *word.s == '5' ? 100 : 111;
    return set(&a->text, "", action);
}

int
delegate_action_scan(struct bytes reply, int ok, struct delegate_action *a)
{
    struct bytes action = find_action(reply), rest = action, word = take_word(&rest);
    enum effect effect;
    char const *code;

    a->exit = 0;
    a->text.len = a->field.len = a->note.len = 0;
    if (is_number(word))
        return scan_number(action, word, ok, a);
    if (!effect_of(word, &effect, &code)) {
        a->exit = 111;
        return set(&a->text, "451 4.3.5 ", (struct bytes){"the policy of this server cannot be applied", 43}) &&
               set(&a->note, "not understood: ", action);
    }
    switch (effect) {
    case OK:
        a->exit = ok;
        return 1;
    case NO:
    case LATER:
        a->exit = effect == NO ? 100 : 111;
        return set(&a->text, code, rest);
    case FIELD:
        return set(&a->field, "", rest);
    case NOTE:
        return set(&a->note, "", rest);
    default:
        return 1;
    }
}

/* ---- the connection ---- */

static int
wait_for(int fd, short events, tain const *deadline)
{
    iopause_fd x = {.fd = fd, .events = events};
    int n = iopause_g(&x, 1, deadline);

    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

int
delegate_connect(struct delegate_address const *a, tain const *deadline)
{
    int fd = socket(a->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int e = 0;
    socklen_t len = sizeof e;

    if (fd == -1)
        return -1;
    if (connect(fd, (struct sockaddr const *)&a->name, a->len) == 0)
        return fd;
    if (errno == EINPROGRESS && wait_for(fd, IOPAUSE_WRITE, deadline) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) == 0) {
        if (!e)
            return fd;
        errno = e;
    }
    e = errno;
    close(fd);
    return (errno = e, -1);
}

static int
send_all(int fd, stralloc const *s, tain const *deadline)
{
    for (size_t sent = 0; sent < s->len;) {
        ssize_t n = send(fd, s->s + sent, s->len - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, IOPAUSE_WRITE, deadline)))
            return 0;
    }
    return 1;
}

int
delegate_ask(int fd, stralloc const *request, stralloc *reply, tain const *deadline)
{
    if (!stralloc_ready(reply, DELEGATE_REPLY_MAX) || !send_all(fd, request, deadline))
        return 0;
    reply->len = 0;
    while (!delegate_reply_ends((struct bytes){reply->s, reply->len})) {
        if (reply->len == DELEGATE_REPLY_MAX)
            return (errno = EMSGSIZE, 0);
        ssize_t n = wait_for(fd, IOPAUSE_READ, deadline)
                        ? recv(fd, reply->s + reply->len, DELEGATE_REPLY_MAX - reply->len, 0)
                        : -1;
        if (n > 0)
            reply->len += (size_t)n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            errno = n ? errno : EPIPE;
            return 0;
        }
    }
    return 1;
}
