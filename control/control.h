/* The settings: one file each in control/, declared once in
 * control/settings.def. All paths are relative: a program calls control_home
 * first, and reads what it needs before it confines itself. Nothing is cached:
 * a changed file counts from the next read. */

#ifndef PNEU_CONTROL_CONTROL_H
#define PNEU_CONTROL_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include <skalibs/stralloc.h>

enum setting {
#define SETTING(name, type, scope, fallback, largest, unit, what) SET_##name,
#include "control/settings.def"
#undef SETTING
    SET_count
};

enum setting_type {
    SETTING_INT,
    SETTING_TIME,
    SETTING_BOOL,
    SETTING_LINE,
    SETTING_LIST,
    SETTING_TABLE,
    SETTING_SECRET,
    SETTING_SPANS,
    SETTING_RATE
};
enum setting_scope { SCOPE_GLOBAL, SCOPE_SERVER, SCOPE_REMOTE, SCOPE_DOMAIN };

#define SETTING_NAME_MAX 23

/* One row of the table. `number` is the default of INT, TIME and BOOL. `largest` bounds a number, or the bytes of a line. Without
 * pointers, so that all processes share the pages it is on: what the loader has to relocate each has for itself. */
struct setting_row {
    char name[SETTING_NAME_MAX + 1];
    enum setting_type type;
    enum setting_scope scope;
    uint32_t number;
    uint32_t largest;
};

extern struct setting_row const control_rows[SET_count];

/* The default of the other types; NULL: none; "@name": the value of that setting. */
extern char const *control_default(enum setting);

/* The words of the table, for the operator's tools. */
extern char const *control_unit(enum setting);
extern char const *control_meaning(enum setting);

#define CONTROL_HOME "/var/pneu" /* $PNEU_HOME's default */
#define CONTROL_FILE_MAX                                                                                               \
    67108864 /* no control file is larger: 64 MiB, a list of two million       \
                domains */

/* Changes into $PNEU_HOME. Returns 1, or 0 with errno. */
extern int control_home(void);

/* That folder: $PNEU_HOME, or where an instance lies by default. For messages. */
extern char const *control_homename(void);

/* "control/NAME", for messages. */
extern char const *control_path(enum setting);

/* Looks once which settings have a file, so that a short-lived program need not ask for each that has not:
 * present[SET_x] is 0 if x has none, in the listener's folder or in control/ itself, and its default counts. Not for
 * the scopes REMOTE and DOMAIN. Where the folders cannot be listed, all are said to be present. */
extern void control_present(unsigned char present[static SET_count]);

/* 1 if its value is one number. */
extern int control_isnumber(enum setting);

/* Reads an INT, TIME or BOOL setting. Returns 1 (from the file, or the default), or 0
 * with errno: EPROTO if the file holds no such number or one beyond the bounds.
 */
extern int control_uint(enum setting, uint32_t *value);

/* Several at once. A value changes only if its setting can be read; what was read before counts on where one cannot.
 * Returns 1, or 0 with errno and *which: the first that cannot be read. */
struct control_number {
    enum setting setting;
    uint32_t *value;
};

extern int control_uints(struct control_number const *, size_t n, char const **which);

/* The same rules for a number given as an option. Returns 1 or 0. */
extern int control_scan(enum setting, char const *text, uint32_t *value);

/* Reads a LINE setting into value (NUL-terminated; the NUL is not counted in
 * value->len). Returns 1 if it is there or has a default, 0 if not, -1 with
 * errno (EPROTO: too long, or control characters). */
extern int control_line(enum setting, stralloc *value);

/* Reads a LIST or TABLE setting: value gets one NUL-terminated item a line,
 * comments and blanks removed. Returns as control_line. */
extern int control_list(enum setting, stralloc *value);

/* The same for a setting of scope REMOTE or DOMAIN and one domain (lower case):
 * looked up in the domain's folder, for REMOTE then in its parents' folders
 * (.example.org) and in default/, then as above. A domain that is no host name
 * ('/', a leading '.', control characters) has no folder. */
extern int control_uint_of(enum setting, char const *domain, uint32_t *value);
extern int control_line_of(enum setting, char const *domain, stralloc *value);
extern int control_list_of(enum setting, char const *domain, stralloc *value);

/* A SPANS setting, in seconds; domain as above, NULL for none. Returns how many there are, at most max are kept; -1 with
 * errno. */
extern int control_spans_of(enum setting, char const *domain, uint32_t *seconds, unsigned int max);

/* A RATE setting: so many in so many seconds; *number is 0 if there is none. Returns 1, or 0 with errno. */
extern int control_rate_of(enum setting, char const *domain, uint32_t *number, uint32_t *seconds);

/* 1 if some setting of scope REMOTE may be different for this domain than for all: if control/remote/ has a folder
 * that is looked up for it. One look for each such folder spares one for each setting. */
extern int control_remote(char const *domain);

/* The names in control/remote/, NUL-terminated, if there are few of them: who asks for many domains need not look for each. Returns 1; 0: there
 * is no such folder; -1 with errno (E2BIG: too many): use control_remote. */
extern int control_remotes(stralloc *names);

/* control_remote by these names. */
extern int control_remote_in(stralloc const *names, char const *domain);

/* Checks a setting's whole file in memory, as written by a person: comments and blanks go, NUL-terminated items stay.
 * Numbers and bounds, one value where there is one, key:value in tables. Returns 1, or 0 with EPROTO. */
extern int control_parse(enum setting, stralloc *text);

/* Reads one file as that setting, by its path, without looking anywhere else, and checks it likewise.
 * Returns 1, 0 if there is none, -1 with errno. */
extern int control_file(enum setting, char const *path, stralloc *items);

/* The setting of that name; SET_count if there is none. */
extern enum setting control_named(char const *name);

/* 1 if list (from control_list) holds that item, case ignored; with `below`,
 * also if it holds
 * ".parent" of it (qmail's rcpthosts). */
extern int control_holds(stralloc const *list, char const *item, size_t len, int below);

/* The value of the first table line whose key is that, case ignored; NULL if
 * there is none. An empty key
 * (":value") is found only by an empty key. */
extern char const *control_value(stralloc const *table, char const *key, size_t len);

#endif
