/* smtpd/params.c: keywords, values, where they belong. */

#include <stdio.h>
#include <string.h>

#include "smtpd/params.h"
#include "tests/tap.h"

static struct {
    char const *in;
    unsigned int command;
    char const *code; /* of the refusal, NULL: none */
    uint64_t size;
    char const *body;
} const rows[] = {
    {"", PARAMS_MAIL, NULL, 0, NULL},
    {"   ", PARAMS_MAIL, NULL, 0, NULL},
    {" SIZE=1", PARAMS_MAIL, NULL, 1, NULL},
    {" size=00042 ", PARAMS_MAIL, NULL, 42, NULL},
    {" BODY=8BITMIME SIZE=5", PARAMS_MAIL, NULL, 5, "8BITMIME"},
    {"  body=7bit", PARAMS_MAIL, NULL, 0, "7BIT"},
    {" SIZE=18446744073709551615", PARAMS_MAIL, NULL, UINT64_MAX, NULL},
    {" SIZE=18446744073709551616", PARAMS_MAIL, NULL, UINT64_MAX, NULL},
    {" SIZE=99999999999999999999", PARAMS_MAIL, NULL, UINT64_MAX, NULL},
    {" SIZE=999999999999999999999", PARAMS_MAIL, "501", 0, NULL},
    {"SIZE=1", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE=", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE= 1", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE=1 SIZE=2", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE=+1", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE=1=2", PARAMS_MAIL, "501", 0, NULL},
    {" BODY=BINARYMIME", PARAMS_MAIL, "501", 0, NULL},
    {" BODY=7BITS", PARAMS_MAIL, "501", 0, NULL},
    {" =x", PARAMS_MAIL, "501", 0, NULL},
    {" -x=y", PARAMS_MAIL, "501", 0, NULL},
    {" x-y=z", PARAMS_MAIL, "555", 0, NULL},
    {" x=\177", PARAMS_MAIL, "501", 0, NULL},
    {" SIZE=1\200", PARAMS_MAIL, "501", 0, NULL},
    {" X", PARAMS_MAIL, "555", 0, NULL},
    {" SIZ=1", PARAMS_MAIL, "555", 0, NULL},
    {" SIZES=1", PARAMS_MAIL, "555", 0, NULL},
    {" SIZE=1", PARAMS_RCPT, "555", 0, NULL},
    {" REQUIRETLS", PARAMS_MAIL, "555", 0, NULL},
    {" ORCPT=utf-8;\303\251", PARAMS_RCPT, "501", 0, NULL},
    {" ORCPT=utf-8;\303\251", PARAMS_RCPT | PARAMS_UTF8, NULL, 0, NULL},
    {" ORCPT=utf-8;\303", PARAMS_RCPT | PARAMS_UTF8, "501", 0, NULL},
    {"", PARAMS_RCPT, NULL, 0, NULL},
};

static struct {
    char const *in;
    unsigned int command;
    char const *records;
} const stored[] = {
    {"", PARAMS_MAIL, ""},
    {" SIZE=5", PARAMS_MAIL, ""},
    {" envid=a+2Bb ret=full body=8bitmime smtputf8", PARAMS_MAIL,
     "13:body=8BITMIME,10:smtputf8=1,8:ret=FULL,11:envid=a+2Bb,"},
    {" notify=delay,success,failure", PARAMS_RCPT, "28:notify=SUCCESS,FAILURE,DELAY,"},
    {" ORCPT=rfc822;A@b notify=never", PARAMS_RCPT, "12:notify=NEVER,16:orcpt=rfc822;A@b,"},
};

static void
test_records(void)
{
    stralloc got = STRALLOC_ZERO;

    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++) {
        struct params p;
        got.len = 0;
        char const *refusal = params_scan((struct bytes){stored[i].in, strlen(stored[i].in)}, stored[i].command, &p);
        ok(!refusal && params_put(&got, &p) && stralloc_0(&got) && !strcmp(got.s, stored[i].records), "records %zu", i);
        if (got.len && strcmp(got.s, stored[i].records) != 0)
            printf("# %s\n", got.s);
    }
    stralloc_free(&got);
}

int
main(void)
{
    test_records();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct params p;
        char const *refusal = params_scan((struct bytes){rows[i].in, strlen(rows[i].in)}, rows[i].command, &p);
        if (rows[i].code)
            ok(refusal && !strncmp(refusal, rows[i].code, 3), "row %zu is refused with %s", i, rows[i].code);
        else
            ok(!refusal && p.size == rows[i].size && !p.body == !rows[i].body &&
                   (!p.body || !strcmp(p.body, rows[i].body)),
               "row %zu is taken", i);
    }
    return tap_done();
}
