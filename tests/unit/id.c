/* queue/id: unique, in order, and the same for the same token. */

#include <stdlib.h>
#include <string.h>

#include "queue/id.h"
#include "tests/tap.h"

enum { MANY = 100000 };

static int
order(void const *a, void const *b)
{
    return memcmp(a, b, ID_SIZE);
}

int
main(void)
{
    char(*ids)[ID_SIZE] = calloc(MANY, ID_SIZE);
    char a[ID_SIZE], b[ID_SIZE];
    int valid = 1, distinct = 1, ascending = 1;

    for (int i = 0; i < MANY; i++) {
        valid = valid && id_new(ids[i]) && id_valid(ids[i], ID_LEN);
        ascending = ascending && (!i || memcmp(ids[i - 1], ids[i], 14) <= 0);
    }
    ok(valid, "%d are valid", MANY);
    ok(ascending, "their times ascend");
    qsort(ids, MANY, ID_SIZE, order);
    for (int i = 1; i < MANY; i++)
        distinct = distinct && memcmp(ids[i - 1], ids[i], ID_SIZE);
    ok(distinct, "and no two are equal");
    free(ids);

    id_token(a, 1000, "bounce x 0", 10);
    id_token(b, 1000, "bounce x 0", 10);
    ok(!strcmp(a, b) && id_valid(a, ID_LEN) && *a == 't', "a token gives always the same: %s", a);
    id_token(b, 1001, "bounce x 0", 10);
    ok(strcmp(a, b), "another uid another");
    id_token(b, 1000, "bounce x 1", 10);
    ok(strcmp(a, b), "another token another");
    id_token(a, 1, "1 x", 3);
    id_token(b, 11, " x", 2);
    ok(strcmp(a, b), "uid and token do not run together");

    ok(!id_valid("0123456789abcdef0123456789a", 27), "too short");
    ok(!id_valid("0123456789abcdef0123456789abc", 29), "too long");
    ok(!id_valid("0123456789abcdef0123456789aB", 28), "capitals");
    ok(!id_valid("../../../../../../etc/passwd", 28), "a path");
    ok(!id_valid("0t23456789abcdef0123456789ab", 28), "a t elsewhere");
    return tap_done();
}
