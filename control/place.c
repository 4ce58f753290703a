#include "control/place.h"

#include <errno.h>
#include <string.h>

#include "lib/durable.h"

static char const *const folders[] = {
    [SCOPE_SERVER] = "control/servers",
    [SCOPE_REMOTE] = "control/remote",
    [SCOPE_DOMAIN] = "control/domain",
};

int
place_path(struct place const *place, char const *name, stralloc *path)
{
    path->len = 0;
    if (place->scope == SCOPE_GLOBAL)
        return stralloc_cats(path, "control") && (!name || (stralloc_cats(path, "/") && stralloc_cats(path, name))) &&
               stralloc_0(path);
    if (!*place->who || strchr(place->who, '/') || !strcmp(place->who, ".") || !strcmp(place->who, ".."))
        return (errno = EINVAL, 0);
    return stralloc_cats(path, folders[place->scope]) && stralloc_cats(path, "/") && stralloc_cats(path, place->who) &&
           (!name || (stralloc_cats(path, "/") && stralloc_cats(path, name))) && stralloc_0(path);
}

int
place_takes(struct place const *place, enum setting which)
{
    /* Where one listener listens says nothing about all of them. */
    return place->scope == control_rows[which].scope || (place->scope == SCOPE_GLOBAL && which != SET_listen);
}

int
place_each(int (*each)(struct place const *, void *), void *data)
{
    static enum setting_scope const scopes[] = {SCOPE_SERVER, SCOPE_REMOTE, SCOPE_DOMAIN};
    stralloc names = STRALLOC_ZERO;
    int good = each(&(struct place){.scope = SCOPE_GLOBAL}, data);

    for (unsigned int i = 0; good && i < sizeof scopes / sizeof *scopes; i++) {
        good = durable_names(folders[scopes[i]], &names) || errno == ENOENT;
        for (char const *name = names.s; good && names.len && name < names.s + names.len; name += strlen(name) + 1)
            good = each(&(struct place){.scope = scopes[i], .who = name}, data);
    }
    int e = errno;
    stralloc_free(&names);
    return (errno = e, good);
}
