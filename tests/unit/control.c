/* control/control.c: what a file of a setting means, where it is looked up, and what counts when it is not there. */

#include "tests/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/command.h"
#include "control/control.h"
#include "lib/durable.h"

static void
put(char const *path, char const *text, size_t len)
{
    if (!durable_write(path, text, len, 0644, 0))
        ok(0, "write %s", path);
}

static void
test_numbers(void)
{
    static struct {
        char const *text;
        int good;
        uint32_t value;
    } const cases[] = {
        {"5\n", 1, 5},
        {"  7 \t\r\n", 1, 7},
        {"# five\n\n5", 1, 5},
        {"", 1, 100},
        {"# nothing\n", 1, 100},
        {"1000\n", 1, 1000},
        {"1001\n", 0, 0},
        {"-1\n", 0, 0},
        {"5x\n", 0, 0},
        {"4294967301\n", 0, 0},
        {"00000000000000000000005\n", 0, 0},
        {"five\n", 0, 0},
        {"0x5\n", 0, 0},
    };
    uint32_t value;

    unlink("control/maxhops");
    ok(control_uint(SET_maxhops, &value) && value == 100, "no file: the default");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put("control/maxhops", cases[i].text, strlen(cases[i].text));
        errno = 0;
        int good = control_uint(SET_maxhops, &value);
        ok(good == cases[i].good && (good ? value == cases[i].value : errno == EPROTO), "number %zu: %.10s", i,
           *cases[i].text == '#' ? "comment"
           : cases[i].text[0]    ? "text"
                                 : "empty");
    }
    unlink("control/maxhops");
    ok(mkdir("control/maxhops", 0755) == 0 && !control_uint(SET_maxhops, &value) && errno == EPROTO, "a folder");
    rmdir("control/maxhops");
    ok(control_scan(SET_remoteloopback, "1", &value) && value == 1 && !control_scan(SET_remoteloopback, "2", &value),
       "a yes or no is 0 or 1");
}

static void
test_times(void)
{
    static struct {
        char const *text;
        int good;
        uint32_t value;
    } const cases[] = {
        {"90", 1, 90}, {"90s", 1, 90},  {"15m", 1, 900},       {"2h", 1, 7200},    {"1d", 1, 86400}, {"", 0, 0},
        {"25h", 0, 0}, {"86401", 0, 0}, {"86401s", 0, 0},      {"m", 0, 0},        {"5 m", 0, 0},    {"5m 6m", 0, 0},
        {"5mm", 0, 0}, {"-5m", 0, 0},   {"4294967297s", 0, 0}, {"49710d7h", 0, 0}, {"1.5h", 0, 0},   {"5w", 0, 0},
    };
    uint32_t value;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int good = control_scan(SET_timeoutsmtpd, cases[i].text, &value);
        ok(good == cases[i].good && (!good || value == cases[i].value), "a time: %s", cases[i].text);
    }
    ok(control_scan(SET_queuelifetime, "4294967295", &value) && value == UINT32_MAX, "a long one in seconds");
    ok(!control_scan(SET_maxhops, "5m", &value), "a number of other things is no time");
    put("control/timeoutsmtpd", " 5m # of these\n", 16);
    ok(!control_uint(SET_timeoutsmtpd, &value), "no comment behind it");
    put("control/timeoutsmtpd", " 5m \n", 5);
    ok(control_uint(SET_timeoutsmtpd, &value) && value == 300, "in a file");
    unlink("control/timeoutsmtpd");
}

static void
test_several(void)
{
    uint32_t bytes = 1, hops = 2;
    struct control_number const numbers[] = {{SET_databytes, &bytes}, {SET_maxhops, &hops}};
    char const *which = "";

    put("control/databytes", "5\n", 2);
    put("control/maxhops", "many\n", 5);
    ok(!control_uints(numbers, 2, &which) && errno == EPROTO && !strcmp(which, "control/maxhops"),
       "of several the one that cannot be read is named");
    ok(bytes == 5 && hops == 2, "and keeps what was read before");
    unlink("control/maxhops");
    ok(control_uints(numbers, 2, &which) && hops == 100, "then its default");
    unlink("control/databytes");
}

static void
test_lines(void)
{
    stralloc value = STRALLOC_ZERO;
    char longest[300];

    unlink("control/me");
    ok(control_line(SET_me, &value) == 0, "no file and no default: absent");
    ok(control_line(SET_helohost, &value) == 0, "a default that is an absent setting is absent");
    put("control/me", "# name\n  mx.example.org \nsecond\n", 31);
    ok(control_line(SET_me, &value) == 1 && value.len == 14 && !strcmp(value.s, "mx.example.org"),
       "the first line that says something");
    ok(control_line(SET_helohost, &value) == 1 && !strcmp(value.s, "mx.example.org"), "a default that is a setting");
    ok(control_line(SET_bouncefrom, &value) == 1 && !strcmp(value.s, "MAILER-DAEMON"), "a default that is a text");
    put("control/helohost", "", 0);
    ok(control_line(SET_helohost, &value) == 0, "an empty file says: no value");
    memset(longest, 'a', sizeof longest);
    put("control/helohost", longest, 255);
    ok(control_line(SET_helohost, &value) == 1 && value.len == 255, "the longest line");
    put("control/helohost", longest, 256);
    ok(control_line(SET_helohost, &value) == -1 && errno == EPROTO, "one byte more");
    put("control/helohost", "a\0b\n", 4);
    ok(control_line(SET_helohost, &value) == -1 && errno == EPROTO, "a NUL");
    put("control/helohost", "a\033[1mb\n", 8);
    ok(control_line(SET_helohost, &value) == -1 && errno == EPROTO, "a control character");
    unlink("control/helohost");
    stralloc_free(&value);
}

static void
test_lists(void)
{
    stralloc value = STRALLOC_ZERO;
    char const *found;

    ok(control_list(SET_locals, &value) == 1 && value.len == 15 && !strcmp(value.s, "mx.example.org"),
       "a list's default is one item");
    put("control/rcpthosts", "Example.org\n# no\n\n .example.net\nlast", 36);
    ok(control_list(SET_rcpthosts, &value) == 1 && value.len == 30 &&
           !memcmp(value.s, "Example.org\0.example.net\0last", 30),
       "an item a line");
    ok(control_holds(&value, "eXAMPLE.ORG", 11, 0), "case does not matter");
    ok(!control_holds(&value, "a.example.org", 13, 1), "a domain is not what is below it");
    ok(control_holds(&value, "a.b.example.net", 15, 1) && !control_holds(&value, "a.example.net", 13, 0),
       "with a dot it is");
    ok(!control_holds(&value, "example.net", 11, 1), "but not itself");
    put("control/smtproutes", "a.example:one:25\nA.example:two\n:rest\n", 37);
    ok(control_list(SET_smtproutes, &value) == 1, "a table");
    found = control_value(&value, "A.EXAMPLE", 9);
    ok(found && !strcmp(found, "one:25"), "the first line with a key counts");
    found = control_value(&value, "", 0);
    ok(found && !strcmp(found, "rest"), "an empty key");
    ok(!control_value(&value, "example", 7), "no such key");
    stralloc_free(&value);
}

static void
test_places(void)
{
    stralloc value = STRALLOC_ZERO;
    uint32_t n;

    mkdir("control/servers", 0755);
    mkdir("control/servers/in", 0755);
    put("control/servers/in/maxhops", "7", 1);
    ok(control_uint(SET_maxhops, &n) && n == 100, "no server: the setting of all");
    setenv("PNEU_SERVER", "in", 1);
    ok(control_uint(SET_maxhops, &n) && n == 7, "a server's own");
    setenv("PNEU_SERVER", "../servers/in", 1);
    ok(control_uint(SET_maxhops, &n) && n == 100, "a name that leads elsewhere is none");
    unsetenv("PNEU_SERVER");

    mkdir("control/remote", 0755);
    mkdir("control/remote/a.example.org", 0755);
    mkdir("control/remote/.example.org", 0755);
    mkdir("control/remote/default", 0755);
    put("control/remote/a.example.org/timeoutremote", "1", 1);
    put("control/remote/.example.org/timeoutremote", "2", 1);
    put("control/remote/default/timeoutremote", "3", 1);
    static struct {
        char const *domain;
        uint32_t value;
    } const cases[] = {
        {"a.example.org", 1}, {"b.example.org", 2}, {"x.y.example.org", 2}, {"example.org", 3},
        {"other.net", 3},     {"../default", 300},  {".example.org", 300},  {"", 300},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(control_uint_of(SET_timeoutremote, cases[i].domain, &n) && n == cases[i].value, "remote domain \"%s\"",
           cases[i].domain);
    ok(control_uint(SET_timeoutremote, &n) && n == 300, "none");
    stralloc_free(&value);
}

static void
test_table(void)
{
    for (enum setting i = 0; i < SET_count; i++) {
        struct setting_row const *row = control_rows + i;
        int number = control_isnumber(i);
        int good = control_named(row->name) == i && row->largest && control_unit(i) && *control_meaning(i) &&
                   !strchr(control_meaning(i), '\n') && (!number || row->number <= row->largest) &&
                   (row->type != SETTING_INT || strcmp(control_unit(i), "seconds") != 0);
        if (control_default(i) && *control_default(i) == '@')
            good = good && control_named(control_default(i) + 1) != SET_count;
        ok(good, "the row of %s is sound", row->name);
    }
    ok(control_named("nothing") == SET_count, "no such setting");
}

int
main(void)
{
    char folder[] = "/tmp/pneu-unit.XXXXXX";
    char const *const clean[] = {"rm", "-rf", folder, 0};

    ok(mkdtemp(folder) && setenv("PNEU_HOME", folder, 1) == 0 && control_home() && mkdir("control", 0755) == 0,
       "a folder to try in");
    test_table();
    test_numbers();
    test_times();
    test_several();
    test_lines();
    test_lists();
    test_places();
    setenv("PNEU_HOME", "/nonexistent", 1);
    ok(!control_home(), "no instance");
    int code = tap_done();
    (void)command_run(clean, 0);
    return code;
}
