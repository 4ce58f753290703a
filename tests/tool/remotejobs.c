/* Plays pneu-spawn to one deliverer in job mode.
 *
 *   remotejobs prog...        a job a line on descriptor 0:  [KEY=VALUE]... MESSAGE RECIPIENT...
 *
 * A recipient "<FILE" stands for the lines of that file. Of the keys, key= becomes the job's, offset= and length= say where the message
 * lies, from= the sender, all others go along as they are. Each job waits for the end of the one before. On descriptor 1 a line for each
 * result, "JOB CLASS CODE TO REMOTE TEXT", and "JOB done"; with $REMOTEJOBS_MORE another one, "JOB more SITE dsn|-". */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/job.h"

static struct jobwire wire = JOBWIRE_ZERO;
static unsigned int number;

static void
die(char const *what)
{
    perror(what);
    exit(111);
}

static void
add_recipient(stralloc *s, char const *address, unsigned int *index)
{
    if (!envelope_put(s, "to", address, strlen(address)) || !envelope_putuint(s, "index", (*index)++))
        die("memory");
}

static void
add_file(stralloc *s, char const *path, unsigned int *index)
{
    char line[2000];
    FILE *f = fopen(path, "r");

    if (!f)
        die(path);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        add_recipient(s, line, index);
    }
    fclose(f);
}

/* Puts the job together. Returns the message's descriptor. */
static int
read_job(char *line, stralloc *s)
{
    char *words = line, *word, *equal;
    struct stat st;
    char const *offset = 0, *length = 0, *from = "sender@pneu.test", *key = "key";
    stralloc rest = STRALLOC_ZERO;
    unsigned int index = 0;
    int fd;

    while ((word = strsep(&words, " ")) && (equal = strchr(word, '=')) && !strchr(word, '/') && !strchr(word, '@')) {
        *equal++ = 0;
        if (!strcmp(word, "key"))
            key = equal;
        else if (!strcmp(word, "offset"))
            offset = equal;
        else if (!strcmp(word, "length"))
            length = equal;
        else if (!strcmp(word, "from"))
            from = equal;
        else if (!envelope_put(&rest, word, equal, strlen(equal)))
            die("memory");
    }
    if (word && !strncmp(word, "from=", 5)) { /* its value has an '@' */
        from = word + 5;
        word = strsep(&words, " ");
    }
    fd = open(word, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &st) == -1)
        die(word);
    s->len = 0;
    if (!envelope_putuint(s, "job", ++number) || !envelope_put(s, "transport", "remote", 6) ||
        !envelope_put(s, "key", key, strlen(key)) || !envelope_put(s, "id", "0123456789abcdef0123456789ab", 28) ||
        !envelope_putuint(s, "offset", offset ? strtoull(offset, 0, 10) : 0) ||
        !envelope_putuint(s, "length", length ? strtoull(length, 0, 10) : (uint64_t)st.st_size) ||
        !envelope_put(s, "from", from, strlen(from)) || !stralloc_cat(s, &rest))
        die("memory");
    while ((word = strsep(&words, " ")))
        if (*word == '<')
            add_file(s, word + 1, &index);
        else if (*word)
            add_recipient(s, word, &index);
    stralloc_free(&rest);
    return fd;
}

static void
print(struct bytes b)
{
    putchar(' ');
    if (!b.len)
        putchar('-');
    for (size_t i = 0; i < b.len; i++)
        putchar((unsigned char)b.s[i] < ' ' ? '?' : b.s[i]);
}

/* Waits for the end of the job. */
static void
read_results(void)
{
    struct pollfd x = {.fd = wire.fd, .events = POLLIN};
    struct bytes frame;
    struct result r;

    for (;;) {
        int got = jobwire_take(&wire, RESULT_MAX, &frame);
        if (got == -1 || (got == 1 && !result_scan(frame, &r)))
            die("result");
        if (got == 0) {
            poll(&x, 1, -1);
            if (jobwire_fill(&wire) == -1)
                die("the deliverer is gone");
            continue;
        }
        if (r.class) {
            printf("%u %c", (unsigned int)r.job, r.class);
            print(r.code);
            print(r.to);
            print(r.remote);
            print(r.text);
            putchar('\n');
            if (getenv("REMOTEJOBS_MORE")) {
                printf("%u more", (unsigned int)r.job);
                print(r.site);
                puts(r.dsn ? " dsn" : " -");
            }
        }
        if (r.done) {
            printf("%u done\n", (unsigned int)r.job);
            fflush(stdout);
            return;
        }
    }
}

static void
run(char *line)
{
    struct pollfd x = {.fd = wire.fd, .events = POLLOUT};
    stralloc s = STRALLOC_ZERO;
    int fd = read_job(line, &s);
    int got;

    if (!jobwire_put(&wire, (struct bytes){s.s, s.len}, fd))
        die("job");
    close(fd);
    while (!(got = jobwire_flush(&wire)))
        poll(&x, 1, -1);
    if (got == -1)
        die("send");
    stralloc_free(&s);
    read_results();
}

int
main(int argc, char **argv)
{
    char *line = 0;
    size_t room = 0;
    ssize_t n;
    int two[2];
    int status;

    if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) == -1)
        die("socketpair");
    pid_t pid = fork();
    if (!pid) {
        dup2(two[1], 0);
        execvp(argv[1], argv + 1);
        die(argv[1]);
    }
    close(two[1]);
    if (!jobwire_init(&wire, two[0]))
        die("socket");
    while ((n = getline(&line, &room, stdin)) > 0) {
        line[strcspn(line, "\n")] = 0;
        run(line);
    }
    jobwire_free(&wire);
    waitpid(pid, &status, 0);
    free(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}
