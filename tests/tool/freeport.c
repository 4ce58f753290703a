/* Prints a TCP port of 127.0.0.1 that nobody uses. A connection through it
 * leaves it in TIME_WAIT, so the kernel hands it to nobody else for a minute,
 * while a server that sets SO_REUSEADDR, as all do, may still bind it. */

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;
    int one = 1;

    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1 ||
        bind(listener, (struct sockaddr *)&address, len) == -1 || listen(listener, 1) == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &len) == -1 ||
        connect(client, (struct sockaddr *)&address, len) == -1 || (server = accept(listener, NULL, NULL)) == -1) {
        perror("freeport");
        return 111;
    }
    /* The side that closes first keeps TIME_WAIT: it must be the one that owns
     * the port. */
    char c;
    (void)shutdown(server, SHUT_WR);
    (void)!read(client, &c, 1);
    (void)close(client);
    (void)close(server);
    (void)close(listener);
    printf("%u\n", ntohs(address.sin_port));
    return 0;
}
