#include "smtpd/peer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/ucspi.h"

static char const *
variable_of(char const *name)
{
    char const *value = getenv(name);

    return value && *value ? value : NULL;
}

static void
from_tls(struct peer_tls *tls)
{
    tls->protocol = variable_of("SSL_PROTOCOL");
    tls->cipher = variable_of("SSL_CIPHER");
    tls->servername = variable_of("SSL_TLS_SNI_SERVERNAME");
}

void
peer_find(struct peer *p)
{
    struct ip ip;

    *p = (struct peer){.host = ucspi_get("REMOTEHOST")};
    if (ucspi_remote(&ip))
        p->ip[ip_fmt(p->ip, &ip)] = 0;
    from_tls(&p->tls);
    p->rdns = variable_of("PNEU_RDNS");
    p->spoken_for = variable_of("PNEU_XCLIENT") != NULL;
    p->login = p->spoken_for ? variable_of("PNEU_LOGIN") : NULL;
    if (p->host && !addr_domain(p->host, strlen(p->host), 0))
        p->host = NULL;
}
