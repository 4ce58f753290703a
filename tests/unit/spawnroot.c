/* For which uids root starts a deliverer. */

#include "send/spawnroot.h"
#include "tests/tap.h"

int
main(void)
{
    static struct {
        uint32_t own, uid, mailuid, minuid;
        int allowed;
    } const rows[] = {
        {0, 0, 110, 100, 0},           {0, 0, 110, 0, 0},          {0, 99, 110, 100, 0},  {0, 100, 110, 100, 1},
        {0, 1000, 110, 100, 1},        {0, 50, 50, 100, 1},        {0, 51, 50, 100, 0},   {0, 0, 0, 0, 0},
        {1000, 1000, 1000, 100, 1},    {1000, 1001, 1000, 100, 0}, {1000, 0, 1000, 0, 0}, {50, 50, 50, 100, 1},
        {0, 4294967295U, 110, 100, 1},
    };

    for (unsigned int i = 0; i < sizeof rows / sizeof *rows; i++)
        ok(spawnroot_allows(rows[i].own, rows[i].uid, rows[i].mailuid, rows[i].minuid) == rows[i].allowed,
           "we are %u, mail for %u, mailboxes %u, least %u", rows[i].own, rows[i].uid, rows[i].mailuid, rows[i].minuid);
    return tap_done();
}
