#include "control/agree.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <skalibs/types.h>

#include "lib/sasl.h"
#include "lib/span.h"
#include "lib/tlssuite.h"

/* Which of the two may be 0 and means "no limit" then. */
#define NONE 1u   /* either: nothing to compare */
#define STATED 2u /* only if the first one was set: its default may be more */

/* The first one may not be more than the second. */
static struct {
    enum setting less, more;
    unsigned int how;
    char const *why;
} const agreements[] = {
    {SET_databytes, SET_sessionbytes, NONE, "a connection could not bring one message of that size"},
    {SET_maxconnperip, SET_maxconn, STATED, "one address cannot have more connections than there are"},
    {SET_timeoutsmtpd, SET_timeoutsession, STATED, "a command cannot take longer than its connection"},
    {SET_greetdelay, SET_timeoutsession, STATED, "the connection would end before the greeting"},
    {SET_tarpitdelay, SET_timeoutsession, STATED, "the connection would end before the answer"},
    {SET_timeoutauth, SET_timeoutsession, STATED, "the connection would end before the answer to a login"},
    {SET_authdelay, SET_timeoutsession, STATED, "the connection would end before the answer to a login"},
    {SET_intakeperuid, SET_intakesessions, STATED, "one user cannot have more sessions than there are"},
    {SET_concurrency, SET_concurrencyremote, STATED, "one domain cannot have more deliveries than there are"},
    {SET_timeoutidle, SET_timeoutremote, STATED, "a connection would be kept longer than it is waited for"},
    {SET_retryfirst, SET_retrymax, 0, "the first wait would be longer than the longest"},
    {SET_retrymax, SET_queuelifetime, STATED, "messages would be returned before they were tried again"},
};

/* Less than this is allowed, but not what mail servers expect; 0 is no limit, or switches it off. */
static struct {
    enum setting setting;
    uint32_t least;
    char const *why;
} const minima[] = {
    {SET_maxrcpt, 100, "less than the 100 recipients that RFC 5321 section 4.5.3.1.8 wants taken"},
    {SET_databytes, 65536, "less than the 64 KiB that RFC 5321 section 4.5.3.1.7 wants taken"},
    {SET_maxline, 1000, "less than the 1000 bytes that RFC 5321 section 4.5.3.1.6 wants taken"},
    {SET_timeoutsmtpd, 300, "less than the 5 minutes that RFC 5321 section 4.5.3.2.7 wants waited"},
    {SET_maxhops, 15, "so few hops that mail through lists and forwards is taken for a loop"},
};

struct agree {
    struct place const *place;
    int (*say)(void *, int mistake, char const *path, char const *what);
    void *data;
    stralloc path, items;
};

/* A number as it counts in that place. Returns 1; *here: it stands there itself; 0: it cannot be known. */
static int
value_of(struct agree *a, enum setting which, uint32_t *value, int *here)
{
    struct place const everywhere = {.scope = SCOPE_GLOBAL};
    struct place const *const places[] = {a->place, &everywhere};

    *here = 0;
    *value = control_rows[which].number;
    for (unsigned int i = 0; i < 2; i++) {
        if (!place_takes(places[i], which))
            continue;
        if (!place_path(places[i], control_rows[which].name, &a->path))
            return 0;
        int got = control_file(which, a->path.s, &a->items);
        if (got == 1) {
            *here = i == 0;
            return a->items.len && control_scan(which, a->items.s, value);
        }
        if (got == -1)
            return 0;
    }
    return 1;
}

static int
tell(struct agree *a, int mistake, enum setting which, char const *const *words, size_t n)
{
    stralloc what = STRALLOC_ZERO;
    int good = place_path(a->place, control_rows[which].name, &a->path);

    for (size_t i = 0; good && i < n; i++)
        good = stralloc_cats(&what, words[i]);
    good = good && stralloc_0(&what) && a->say(a->data, mistake, a->path.s, what.s);
    stralloc_free(&what);
    return good;
}

static int
is_stated(struct agree *a, enum setting which, int here)
{
    struct place const everywhere = {.scope = SCOPE_GLOBAL};

    return here || (place_path(&everywhere, control_rows[which].name, &a->path) &&
                    control_file(which, a->path.s, &a->items) == 1);
}

static int
check_pair(struct agree *a, unsigned int row)
{
    enum setting less = agreements[row].less, more = agreements[row].more;
    unsigned int how = agreements[row].how;
    uint32_t small, large;
    int small_here, large_here;
    char digits[2][UINT32_FMT];

    if (!value_of(a, less, &small, &small_here) || !value_of(a, more, &large, &large_here) || small <= large)
        return 1;
    if (how & NONE && (!small || !large))
        return 1;
    if (!small_here && !large_here && a->place->scope != SCOPE_GLOBAL)
        return 1;
    if (how & STATED && !is_stated(a, less, small_here))
        return 1;
    digits[0][uint32_fmt(digits[0], small)] = 0;
    digits[1][uint32_fmt(digits[1], large)] = 0;
    char const *const words[] = {digits[0], " is more than ",   control_rows[more].name, ", which is ", digits[1],
                                 ": ",      agreements[row].why};
    return tell(a, 1, less, words, sizeof words / sizeof *words);
}

static int
check_minimum(struct agree *a, unsigned int row)
{
    uint32_t value;
    int here;

    if (!value_of(a, minima[row].setting, &value, &here) || !here || !value || value >= minima[row].least)
        return 1;
    return tell(a, 0, minima[row].setting, &minima[row].why, 1);
}

/* "host:port", "[address]:port", ":port": the port is one, if it is there. */
static int
has_port(char const *value)
{
    char const *end = *value == '[' ? strchr(value, ']') : value;
    char const *colon = end ? strchr(end, ':') : NULL;
    uint16_t port;

    return !colon || (uint160_scan(colon + 1, &port) && port);
}

static int
check_routes(struct agree *a)
{
    if (!place_path(a->place, "smtproutes", &a->path))
        return 0;
    if (control_file(SET_smtproutes, a->path.s, &a->items) != 1)
        return 1;
    for (size_t i = 0; i < a->items.len; i += strlen(a->items.s + i) + 1) {
        char const *line = a->items.s + i;
        char const *colon = strchr(line, ':');
        if (!colon || has_port(colon + 1))
            continue;
        char const *const words[] = {"no port from 1 to 65535: ", line};
        return tell(a, 1, SET_smtproutes, words, 2);
    }
    return 1;
}

/* ---- lists of times ---- */

static int
tell_span(struct agree *a, enum setting which, char const *what, uint64_t span, uint32_t lifetime, char const *why)
{
    char digits[2][UINT64_FMT];

    digits[0][uint64_fmt(digits[0], span)] = 0;
    digits[1][uint64_fmt(digits[1], lifetime)] = 0;
    char const *const words[] = {
        what, digits[0], " is more than ", control_rows[SET_queuelifetime].name, ", which is ", digits[1], why};
    return tell(a, 1, which, words, sizeof words / sizeof *words);
}

/* What lies behind a message's end never happens. */
static int
check_spans(struct agree *a)
{
    uint32_t spans[64], lifetime;
    uint64_t sum = 0;
    int here, n;

    if (!value_of(a, SET_queuelifetime, &lifetime, &here))
        return 1;
    if (place_takes(a->place, SET_delaynotice) && place_path(a->place, "delaynotice", &a->path) &&
        control_file(SET_delaynotice, a->path.s, &a->items) == 1) {
        n = span_list(a->items.s, a->items.len, spans, sizeof spans / sizeof *spans);
        for (int i = 0; i < n; i++)
            if (spans[i] > lifetime)
                return tell_span(a, SET_delaynotice, "", spans[i], lifetime, ": nobody would hear of that delay");
    }
    if (place_takes(a->place, SET_retry) && place_path(a->place, "retry", &a->path) &&
        control_file(SET_retry, a->path.s, &a->items) == 1) {
        n = span_list(a->items.s, a->items.len, spans, sizeof spans / sizeof *spans);
        for (int i = 0; i < n; i++)
            sum += spans[i];
        if (sum > lifetime)
            return tell_span(a, SET_retry, "the sum of the waits ", sum, lifetime, ": the last would not count");
    }
    return 1;
}

/* Settings of a listener that was never made, or by a slip of the pen. */
static int
check_listen(struct agree *a)
{
    static char const *const why = "not there: nothing listens with these settings (pneu-server add makes a listener)";

    if (!place_path(a->place, "listen", &a->path) || access(a->path.s, F_OK) == 0)
        return 1;
    return tell(a, 0, SET_listen, &why, 1);
}

static int
check_me(struct agree *a)
{
    static char const *const why = "a name without a dot: others cannot look it up, and many refuse its mail";

    if (!place_path(a->place, "me", &a->path))
        return 0;
    if (control_file(SET_me, a->path.s, &a->items) != 1 || !a->items.len || strchr(a->items.s, '.'))
        return 1;
    return tell(a, 0, SET_me, &why, 1);
}

/* ---- TLS ---- */

#define CERTIFICATE "tls/default/chain.pem"

static int
is_servertls(char const *word)
{
    return !strcmp(word, "no") || !strcmp(word, "may") || !strcmp(word, "must");
}

static int
is_version(char const *word)
{
    return tlssuite_version(word) != 0;
}

static int
is_suite(char const *word)
{
    return tlssuite_named(word) != 0;
}

/* Settings whose values are words out of a list. */
static int
check_words(struct agree *a, enum setting which, int (*known)(char const *))
{
    if (!place_takes(a->place, which) || !place_path(a->place, control_rows[which].name, &a->path))
        return 1;
    if (control_file(which, a->path.s, &a->items) != 1)
        return 1;
    for (size_t i = 0; i < a->items.len; i += strlen(a->items.s + i) + 1) {
        char const *word = a->items.s + i;
        char const *const words[] = {"none of ", control_unit(which), ": ", word};
        if (!known(word))
            return tell(a, 1, which, words, sizeof words / sizeof *words);
    }
    return 1;
}

/* The first line of a setting as it counts in that place is in items; 0: there is none. */
static int
line_of(struct agree *a, enum setting which)
{
    struct place const everywhere = {.scope = SCOPE_GLOBAL};
    struct place const *const places[] = {a->place, &everywhere};

    for (unsigned int i = 0; i < 2; i++)
        if (place_takes(places[i], which) && place_path(places[i], control_rows[which].name, &a->path) &&
            control_file(which, a->path.s, &a->items) == 1 && a->items.len)
            return 1;
    return 0;
}

/* A listener that cannot begin without TLS does not begin without a certificate. */
static int
check_certificate(struct agree *a)
{
    static char const *const why[] = {"TLS is required, and there is no certificate: ", CERTIFICATE,
                                      " (pneu-cert makes one)"};
    int must = line_of(a, SET_servertls) && !strcmp(a->items.s, "must");
    int at_once = line_of(a, SET_listen) && !strncmp(a->items.s, "submissions ", 12);

    if ((!must && !at_once) || access(CERTIFICATE, F_OK) == 0)
        return 1;
    return tell(a, 1, must ? SET_servertls : SET_listen, why, sizeof why / sizeof *why);
}

/* ---- logins ---- */

static int
are_mechanisms(char const *line)
{
    unsigned int methods;

    return sasl_list(line, &methods);
}

/* The challenge methods look into users/passwords, of which another program knows nothing. */
static int
check_challenges(struct agree *a)
{
    static char const *const why =
        "SCRAM-SHA-256 and CRAM-MD5 are not offered: they need checkpassword to be pneu-checkpw";
    unsigned int methods;

    if (!line_of(a, SET_authmech) || !sasl_list(a->items.s, &methods) ||
        !(methods & (1u << SASL_SCRAM_SHA_256 | 1u << SASL_CRAM_MD5)))
        return 1;
    if (!line_of(a, SET_checkpassword) || !strcmp(a->items.s, "pneu-checkpw"))
        return 1;
    return tell(a, 0, SET_authmech, &why, 1);
}

/* Mail is taken only after a login, a login only under TLS. */
static int
check_submission(struct agree *a)
{
    static char const *const why[] = {"nobody can log in: that needs TLS, and there is no certificate: ", CERTIFICATE,
                                      " (pneu-cert makes one)"};
    uint32_t value;
    int here;

    if (!line_of(a, SET_listen) || strncmp(a->items.s, "submission ", 11) != 0 || access(CERTIFICATE, F_OK) == 0)
        return 1;
    if (!value_of(a, SET_authneedtls, &value, &here) || value != 1)
        return 1;
    return tell(a, 0, SET_listen, why, sizeof why / sizeof *why);
}

/* ---- programs ---- */

/* A first word that is a whole path and nothing for a shell: is such a file there, to be executed? */
static int
is_missing(char const *line, char path[static PATH_MAX])
{
    size_t len = strcspn(line, " \t");

    if (*line != '/' || len >= PATH_MAX || strcspn(line, "$`*?[{\\'\"") < len)
        return 0;
    memcpy(path, line, len);
    path[len] = 0;
    return access(path, X_OK) == -1 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES);
}

/* Mail waits for such a program, or is refused: each client is told to come again. */
static int
check_programs(struct agree *a)
{
    static enum setting const settings[] = {SET_connectcheck, SET_helocheck, SET_mailcheck,    SET_rcptcheck,
                                            SET_datacheck,    SET_filter,    SET_checkpassword};
    char path[PATH_MAX];

    for (unsigned int i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!place_takes(a->place, settings[i]))
            continue;
        if (!place_path(a->place, control_rows[settings[i]].name, &a->path))
            return 0;
        if (control_file(settings[i], a->path.s, &a->items) != 1)
            continue;
        for (size_t at = 0; at < a->items.len; at += strlen(a->items.s + at) + 1) {
            /* Of these two each line is a word, and only the first one a program. */
            if (at && (settings[i] == SET_filter || settings[i] == SET_checkpassword))
                break;
            char const *const words[] = {"no program that can be run: ", path};
            if (is_missing(a->items.s + at, path))
                return tell(a, 1, settings[i], words, 2);
        }
    }
    return 1;
}

int
agree_check(struct place const *place, int (*say)(void *, int mistake, char const *path, char const *what), void *data)
{
    struct agree a = {.place = place, .say = say, .data = data, .path = STRALLOC_ZERO, .items = STRALLOC_ZERO};
    int good = 1;

    for (unsigned int i = 0; good && i < sizeof agreements / sizeof *agreements; i++)
        if (place_takes(place, agreements[i].less) || place_takes(place, agreements[i].more))
            good = check_pair(&a, i);
    for (unsigned int i = 0; good && i < sizeof minima / sizeof *minima; i++)
        if (place_takes(place, minima[i].setting))
            good = check_minimum(&a, i);
    if (good && place->scope == SCOPE_GLOBAL)
        good = check_routes(&a);
    if (good && place_takes(place, SET_me))
        good = check_me(&a);
    good = good && check_spans(&a) && check_programs(&a);
    good = good && check_words(&a, SET_servertls, is_servertls) && check_words(&a, SET_tlsminimum, is_version) &&
           check_words(&a, SET_tlsciphers, is_suite);
    good = good && check_words(&a, SET_authmech, are_mechanisms) &&
           (!place_takes(place, SET_authmech) || check_challenges(&a));
    if (good && place->scope == SCOPE_SERVER)
        good = check_listen(&a) && check_certificate(&a) && check_submission(&a);
    int e = errno;
    stralloc_free(&a.path);
    stralloc_free(&a.items);
    return (errno = e, good);
}
