#include "access/proxy.h"

#include <errno.h>
#include <string.h>

#include <skalibs/types.h>

static unsigned char const signature[PROXY_FIRST] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

/* ---- version 1 ---- */

/* Takes a word and the blank behind it, the last one without. Returns its length, 0 if there is none. */
static size_t
take_word(char const **s, size_t *len, int last)
{
    char const *blank = memchr(*s, ' ', *len);
    size_t n = blank ? (size_t)(blank - *s) : *len;

    if ((blank == NULL) != last)
        return 0;
    *s += n + !last;
    *len -= n + !last;
    return n;
}

/* A port: a decimal number without sign or leading zeros. */
static int
scan_port(char const *s, size_t len, uint16_t *port)
{
    char text[6] = {0};

    if (!len || len >= sizeof text || (*s == '0' && len > 1) || memchr(s, '+', len))
        return 0;
    memcpy(text, s, len);
    return uint160_scan(text, port) != 0;
}

/* An address in its family's own form: IPv4 in IPv6's clothes comes as TCP6. */
static int
scan_address(char const *s, size_t len, int is6, struct ip *ip)
{
    return (memchr(s, ':', len) != NULL) == is6 && ip_scan(s, len, ip);
}

static int
scan_addresses(struct proxy *p, char const *s, size_t len, int is6)
{
    struct {
        struct ip *ip;
        uint16_t *port;
    } const words[] = {{&p->from, NULL}, {&p->to, NULL}, {NULL, &p->from_port}, {NULL, &p->to_port}};

    for (unsigned int i = 0; i < 4; i++) {
        char const *word = s;
        size_t n = take_word(&s, &len, i == 3);
        if (!n || !(words[i].ip ? scan_address(word, n, is6, words[i].ip) : scan_port(word, n, words[i].port)))
            return 0;
    }
    p->who = PROXY_CLIENT;
    return 1;
}

int
proxy_line(struct proxy *p, char const *s, size_t len)
{
    static char const unknown[] = "PROXY UNKNOWN", four[] = "PROXY TCP4 ", six[] = "PROXY TCP6 ";
    size_t n = sizeof unknown - 1;

    memset(p, 0, sizeof *p);
    if (len < 2 || len > PROXY_LINE || memcmp(s + len - 2, "\r\n", 2) != 0 || memchr(s, '\n', len - 1) ||
        memchr(s, 0, len))
        return 0;
    len -= 2;
    if (len >= n && !memcmp(s, unknown, n) && (len == n || s[n] == ' ')) {
        p->who = PROXY_UNKNOWN;
        return 1;
    }
    n = sizeof four - 1;
    if (len < n || (memcmp(s, four, n) != 0 && memcmp(s, six, n) != 0))
        return 0;
    return scan_addresses(p, s + n, len - n, s[n - 2] == '6');
}

/* ---- version 2 ---- */

int
proxy_head(unsigned char const head[static PROXY_HEAD])
{
    /* version 2, and of commands LOCAL and PROXY alone */
    if (memcmp(head, signature, sizeof signature) != 0 || (head[12] & 0xfe) != 0x20)
        return -1;
    return head[14] << 8 | head[15];
}

static uint16_t
port_at(unsigned char const *s)
{
    return (uint16_t)(s[0] << 8 | s[1]);
}

int
proxy_addresses(struct proxy *p, unsigned char const head[static PROXY_HEAD], unsigned char const *s, size_t len)
{
    unsigned int family = head[13] >> 4, transport = head[13] & 15;

    memset(p, 0, sizeof *p);
    p->who = head[12] & 1 ? PROXY_UNKNOWN : PROXY_ITSELF;
    if (p->who == PROXY_ITSELF || family == 0 || family == 3) /* unspecified, Unix */
        return 1;
    if (transport != 1 || family > 2 || len < (family == 1 ? 12 : 36)) /* a stream of IPv4 or IPv6 */
        return 0;
    size_t size = family == 1 ? 4 : 16;
    (family == 1 ? ip_from4 : ip_from6)(&p->from, s);
    (family == 1 ? ip_from4 : ip_from6)(&p->to, s + size);
    p->from_port = port_at(s + 2 * size);
    p->to_port = port_at(s + 2 * size + 2);
    p->who = PROXY_CLIENT;
    return 1;
}

/* ---- from the wire ---- */

struct source {
    ptrdiff_t (*get)(void *data, unsigned char *s, size_t len);
    void *data;
};

static int
get_all(struct source const *from, unsigned char *s, size_t len)
{
    while (len) {
        ptrdiff_t n = from->get(from->data, s, len);
        if (n <= 0)
            return n ? 0 : (errno = EPIPE, 0);
        s += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Where a line ends is known only when its end is there: byte by byte. */
static int
read_line(struct proxy *p, struct source const *from, unsigned char const first[static PROXY_FIRST])
{
    unsigned char line[PROXY_LINE];
    size_t len = PROXY_FIRST;

    if (memcmp(first, "PROXY ", 6) != 0 || memchr(first, '\n', PROXY_FIRST))
        return (errno = EPROTO, 0);
    memcpy(line, first, len);
    do {
        if (len == sizeof line)
            return (errno = EPROTO, 0);
        if (!get_all(from, line + len, 1))
            return 0;
    } while (line[len++] != '\n');
    return proxy_line(p, (char const *)line, len) ? 1 : (errno = EPROTO, 0);
}

static int
read_binary(struct proxy *p, struct source const *from, unsigned char const first[static PROXY_FIRST])
{
    unsigned char head[PROXY_HEAD], addresses[PROXY_ADDRESS], more[512];

    memcpy(head, first, PROXY_FIRST);
    if (!get_all(from, head + PROXY_FIRST, sizeof head - PROXY_FIRST))
        return 0;
    int follow = proxy_head(head);
    if (follow == -1)
        return (errno = EPROTO, 0);
    size_t left = (size_t)follow;
    size_t n = left < sizeof addresses ? left : sizeof addresses;
    if (!get_all(from, addresses, n))
        return 0;
    if (!proxy_addresses(p, head, addresses, n))
        return (errno = EPROTO, 0);
    /* what else it tells of its client */
    for (left -= n; left; left -= n) {
        n = left < sizeof more ? left : sizeof more;
        if (!get_all(from, more, n))
            return 0;
    }
    return 1;
}

int
proxy_read(struct proxy *p, ptrdiff_t (*get)(void *data, unsigned char *s, size_t len), void *data)
{
    struct source const from = {.get = get, .data = data};
    unsigned char first[PROXY_FIRST];

    memset(p, 0, sizeof *p);
    if (!get_all(&from, first, sizeof first))
        return 0;
    return memcmp(first, signature, sizeof first) ? read_line(p, &from, first) : read_binary(p, &from, first);
}
