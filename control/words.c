#include "control/control.h"

static struct {
    char const *unit, *meaning;
} const words[SET_count] = {
#define SETTING(name, type, scope, fallback, largest, unit, what) {unit, what},
#include "control/settings.def"
#undef SETTING
};

char const *
control_unit(enum setting which)
{
    return words[which].unit;
}

char const *
control_meaning(enum setting which)
{
    return words[which].meaning;
}
