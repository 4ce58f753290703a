#include "control/resolver.h"

#include <errno.h>
#include <string.h>

#include "control/control.h"

int
resolver_find(struct dns *dns)
{
    stralloc list = STRALLOC_ZERO;
    int good = control_list(SET_nameserver, &list) != -1;

    for (size_t at = 0; good && at < list.len; at += strlen(list.s + at) + 1)
        good = dns_server(dns, list.s + at, strlen(list.s + at)) || errno == ENOBUFS;
    int e = errno;
    stralloc_free(&list);
    errno = e;
    return good && (dns->count || dns_resolvconf(dns, "/etc/resolv.conf"));
}
