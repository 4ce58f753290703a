/* The table of messages: a set and three heaps, against a plain array that cannot be wrong. */

#include <stdlib.h>
#include <string.h>

#include "send/table.h"
#include "tests/tap.h"

#define N 5000

static char ids[N][ID_SIZE];
static uint32_t numbers[N], keys[N];

static uint32_t
next_random(void)
{
    static uint64_t state = 42;

    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

/* Neighbours in time and in the last digit, tokens among them: what a real queue holds. */
static void
make_ids(void)
{
    for (unsigned int i = 0; i < N; i++) {
        (void)snprintf(ids[i], ID_SIZE, "%014x%02x%012x", i / 7, i % 7, next_random());
        if (i % 5 == 0)
            ids[i][0] = 't';
    }
}

static void
set(struct table *t)
{
    unsigned int good = 0;
    char id[ID_SIZE];

    for (unsigned int i = 0; i < N; i++)
        numbers[i] = table_add(t, ids[i]);
    for (unsigned int i = 0; i < N; i++) {
        table_id(t, numbers[i], id);
        good += table_find(t, ids[i]) == numbers[i] && !strcmp(id, ids[i]);
    }
    ok(good == N && t->count == N, "%d identifiers are found, and come out as they went in", N);
    for (unsigned int i = 0; i < N; i += 2)
        table_remove(t, numbers[i]);
    good = 0;
    for (unsigned int i = 0; i < N; i++)
        good += (table_find(t, ids[i]) == TABLE_NONE) == (i % 2 == 0);
    ok(good == N && t->count == N / 2, "every second is removed, the others are still found");
    for (unsigned int i = 0; i < N; i += 2)
        numbers[i] = table_add(t, ids[i]);
    ok(t->used == N && t->count == N, "free entries are used again");
}

static void
token(struct table *t)
{
    char a[ID_SIZE] = "t1234567890123456789012345ab", b[ID_SIZE] = "01234567890123456789012345ab";
    uint32_t x = table_add(t, a);

    ok(table_find(t, b) == TABLE_NONE, "a token and a time that look alike are two");
    table_remove(t, x);
}

static void
order(struct table *t)
{
    uint32_t last = 0, n, taken = 0;
    int sorted = 1;

    for (unsigned int i = 0; i < N; i++)
        sorted &= table_put(t, numbers[i], TABLE_WAIT, keys[i] = next_random() % 1000);
    for (unsigned int i = 0; i < N; i += 3)
        table_put(t, numbers[i], TABLE_WAIT, keys[i] = next_random() % 1000);
    for (unsigned int i = 0; i < N; i += 4)
        table_put(t, numbers[i], TABLE_BACKLOG, keys[i]);
    for (unsigned int i = 0; i < N; i += 8)
        table_take(t, numbers[i]);
    while ((n = table_first(t, TABLE_WAIT)) != TABLE_NONE) {
        sorted &= t->entries[n].key >= last;
        last = t->entries[n].key;
        table_take(t, n);
        taken++;
    }
    ok(sorted && taken == N - (N + 3) / 4, "a heap gives its entries in order, %u of them", taken);
    for (taken = 0; (n = table_first(t, TABLE_BACKLOG)) != TABLE_NONE; taken++)
        table_remove(t, n);
    ok(taken == (N + 3) / 4 - (N + 7) / 8, "and the other heap its own");
}

int
main(void)
{
    struct table t = TABLE_ZERO;

    make_ids();
    ok(table_find(&t, ids[0]) == TABLE_NONE && table_first(&t, TABLE_WAIT) == TABLE_NONE, "an empty table");
    set(&t);
    token(&t);
    order(&t);
    ok(sizeof(struct entry) == 24, "an entry is 24 bytes");
    table_free(&t);
    return tap_done();
}
