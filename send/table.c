#include "send/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEX "0123456789abcdef"

static unsigned int
nibble(char c)
{
    return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

/* Packs the 28 digits; the 't' of a token becomes a 0 and a flag. */
static unsigned int
pack(unsigned char to[static ID_LEN / 2], char const *id)
{
    unsigned int token = *id == 't';

    for (unsigned int i = 0; i < ID_LEN / 2; i++) {
        unsigned int high = !i && token ? 0 : nibble(id[2 * i]);
        to[i] = (unsigned char)(high << 4 | nibble(id[2 * i + 1]));
    }
    return token ? ENTRY_TOKEN : 0;
}

/* The last 12 digits are random; names that somebody chose are stirred by the multiplication. */
static uint32_t
hash(unsigned char const *id)
{
    uint64_t a, b;

    memcpy(&a, id + 6, 8);
    memcpy(&b, id, 8);
    a = (a ^ (b >> 7)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(a >> 32);
}

static int
same(struct entry const *e, unsigned char const *id, unsigned int token)
{
    return (e->flags & ENTRY_TOKEN) == token && !memcmp(e->id, id, sizeof e->id);
}

uint32_t
table_find(struct table const *t, char const *id)
{
    unsigned char packed[ID_LEN / 2];
    unsigned int token = pack(packed, id);

    if (!t->slots)
        return TABLE_NONE;
    for (uint32_t i = hash(packed) & t->mask; t->slots[i]; i = (i + 1) & t->mask)
        if (same(t->entries + t->slots[i] - 1, packed, token))
            return t->slots[i] - 1;
    return TABLE_NONE;
}

static void
slot_insert(struct table *t, uint32_t n)
{
    uint32_t i = hash(t->entries[n].id) & t->mask;

    while (t->slots[i])
        i = (i + 1) & t->mask;
    t->slots[i] = n + 1;
}

/* Keeps the slots at most two thirds full. */
static int
slots_room(struct table *t)
{
    uint32_t size = t->slots ? t->mask + 1 : 0;
    uint32_t *old = t->slots;
    uint32_t *slots;

    if (size && (uint64_t)(t->count + 1) * 3 <= (uint64_t)size * 2)
        return 1;
    slots = calloc(size ? (size_t)size * 2 : 64, sizeof *slots);
    if (!slots)
        return 0;
    t->slots = slots;
    t->mask = size ? size * 2 - 1 : 63;
    for (uint32_t i = 0; i < size; i++)
        if (old[i])
            slot_insert(t, old[i] - 1);
    free(old);
    return 1;
}

/* Grows by an eighth: a million entries waste little, and realloc of so much moves pages, not bytes. */
static int
grow(void **array, uint32_t *room, uint32_t need, size_t size)
{
    uint64_t more = (uint64_t)*room + *room / 8 + 64;
    void *bigger;

    if (need <= *room)
        return 1;
    if (more >= TABLE_NONE)
        return (errno = ENOMEM, 0);
    bigger = realloc(*array, (size_t)more * size);
    if (!bigger)
        return 0;
    *array = bigger;
    *room = (uint32_t)more;
    return 1;
}

static int
entries_room(struct table *t)
{
    void *entries = t->entries;

    if (t->free != TABLE_NONE)
        return 1;
    if (!grow(&entries, &t->room, t->used + 1, sizeof *t->entries))
        return 0;
    t->entries = entries;
    return 1;
}

uint32_t
table_add(struct table *t, char const *id)
{
    struct entry *e;
    uint32_t n;

    if (!slots_room(t) || !entries_room(t))
        return (errno = ENOMEM, TABLE_NONE);
    n = t->free == TABLE_NONE ? t->used++ : t->free;
    e = t->entries + n;
    if (n == t->free)
        t->free = e->at;
    e->flags = (uint8_t)pack(e->id, id);
    e->place = TABLE_ACTIVE;
    e->key = 0;
    slot_insert(t, n);
    t->count++;
    return n;
}

/* Closes the gap, so that no search ends too early: what follows and could lie here moves up. */
static void
slot_remove(struct table *t, uint32_t n)
{
    uint32_t i = hash(t->entries[n].id) & t->mask;

    while (t->slots[i] != n + 1)
        i = (i + 1) & t->mask;
    for (uint32_t j = (i + 1) & t->mask; t->slots[j]; j = (j + 1) & t->mask) {
        uint32_t home = hash(t->entries[t->slots[j] - 1].id) & t->mask;
        if (((j - home) & t->mask) >= ((j - i) & t->mask)) {
            t->slots[i] = t->slots[j];
            i = j;
        }
    }
    t->slots[i] = 0;
}

void
table_remove(struct table *t, uint32_t n)
{
    table_take(t, n);
    slot_remove(t, n);
    t->entries[n].place = TABLE_FREE;
    t->entries[n].at = t->free;
    t->free = n;
    t->count--;
}

void
table_id(struct table const *t, uint32_t n, char id[static ID_SIZE])
{
    struct entry const *e = t->entries + n;

    for (unsigned int i = 0; i < ID_LEN / 2; i++) {
        id[2 * i] = HEX[e->id[i] >> 4];
        id[2 * i + 1] = HEX[e->id[i] & 15];
    }
    if (e->flags & ENTRY_TOKEN)
        id[0] = 't';
    id[ID_LEN] = 0;
}

/* ---- heaps ---- */

static void
heap_set(struct table *t, struct heap *h, uint32_t at, uint32_t n)
{
    h->entries[at] = n;
    t->entries[n].at = at;
}

static void
heap_up(struct table *t, struct heap *h, uint32_t at)
{
    uint32_t n = h->entries[at];

    for (; at; at = (at - 1) / 2) {
        uint32_t parent = h->entries[(at - 1) / 2];
        if (t->entries[parent].key <= t->entries[n].key)
            break;
        heap_set(t, h, at, parent);
    }
    heap_set(t, h, at, n);
}

static void
heap_down(struct table *t, struct heap *h, uint32_t at)
{
    uint32_t n = h->entries[at];

    for (uint32_t child; (child = 2 * at + 1) < h->len; at = child) {
        if (child + 1 < h->len && t->entries[h->entries[child + 1]].key < t->entries[h->entries[child]].key)
            child++;
        if (t->entries[n].key <= t->entries[h->entries[child]].key)
            break;
        heap_set(t, h, at, h->entries[child]);
    }
    heap_set(t, h, at, n);
}

void
table_take(struct table *t, uint32_t n)
{
    struct entry *e = t->entries + n;
    struct heap *h;
    uint32_t at = e->at;

    if (e->place >= TABLE_HEAPS) {
        e->place = TABLE_ACTIVE;
        return;
    }
    h = t->heaps + e->place;
    e->place = TABLE_ACTIVE;
    if (at == --h->len)
        return;
    heap_set(t, h, at, h->entries[h->len]);
    heap_up(t, h, at);
    heap_down(t, h, at);
}

int
table_put(struct table *t, uint32_t n, enum table_place place, uint32_t key)
{
    struct heap *h = t->heaps + place;
    void *entries = h->entries;

    if (!grow(&entries, &h->room, h->len + 1, sizeof *h->entries))
        return 0;
    h->entries = entries;
    table_take(t, n);
    t->entries[n].place = (uint8_t)place;
    t->entries[n].key = key;
    heap_set(t, h, h->len++, n);
    heap_up(t, h, h->len - 1);
    return 1;
}

uint32_t
table_first(struct table const *t, enum table_place place)
{
    return t->heaps[place].len ? t->heaps[place].entries[0] : TABLE_NONE;
}

void
table_free(struct table *t)
{
    for (unsigned int i = 0; i < TABLE_HEAPS; i++)
        free(t->heaps[i].entries);
    free(t->entries);
    free(t->slots);
    *t = (struct table)TABLE_ZERO;
}
