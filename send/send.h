/* pneu-send's state: one struct, passed down. What is loaded is a message; its recipients of one destination are a
 * group; a part of a group that is under way is a job. Everything else the scheduler knows is the table's 24 bytes. */

#ifndef PNEU_SEND_SEND_H
#define PNEU_SEND_SEND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <skalibs/stralloc.h>

#include "control/route.h"
#include "lib/replaced.h"
#include "queue/file.h"
#include "queue/id.h"
#include "queue/job.h"
#include "queue/trigger.h"
#include "send/clockfile.h"
#include "send/pace.h"
#include "send/schedule.h"
#include "send/table.h"
#include "send/wake.h"

#define SEND_JOBS 1024       /* under way at a time, at most: both concurrencies' bounds together */
#define SEND_DESTS 4096      /* chains of destinations, and of sites */
#define SEND_KEPT 2048       /* destinations, of which some may be remembered only */
#define SEND_REPORTS 10      /* pneu-bounce processes at a time */
#define SEND_SYNCS 4096      /* requests to the helpers */
#define FLUSHES 8            /* domains that are flushed in one go */
#define SEND_HELPERS 4       /* processes that wait for the disk */
#define SEND_LOADED 4000     /* messages, where descriptors allow so many */
#define SEND_MEMORY 67108864 /* bytes of loaded envelopes, and what is made of them: a quarter is for letters */
#define SEND_LARGE 65536     /* bytes of an envelope: that of a list */

struct send;
struct message;
struct dest;

/* Wherever messages wait for each other, letters that are tried for the first time, mail that was tried before and
 * messages to many take turns: none of them is starved. */
enum { LANE_NEW, LANE_OLD, LANE_BULK, LANES };

/* Of the destinations that may start a job, the slow ones take turns of their own. */
enum { READY_SLOW = LANES, READIES };

struct lane {
    struct group *first, *last;
    struct dest *ready; /* the next whose lane may start a job */
    uint64_t served;    /* the sequence number of its last job */
    uint8_t isready;
};

/* A recipient of this attempt. */
struct target {
    uint32_t index;  /* in the envelope */
    uint32_t record; /* offset in the envelope behind its to= */
    uint32_t to;     /* offset in the message's text of what the deliverer gets */
    uint16_t len;    /* of that */
    uint8_t route;
    uint8_t answered; /* this attempt has its result */
};

struct group {
    struct message *message;
    struct dest *dest;  /* NULL: it does not wait there, or not any more */
    struct group *next; /* of those that wait at the destination */
    uint32_t at, end;   /* of the message's targets: not yet in a job */
    uint32_t later;     /* all of these were promised an attempt not before that second; 0: they are due */
};

enum { TRY_NOT_YET, TRY_UNDER_WAY, TRY_OVER };

struct message {
    struct message *prev, *next; /* of all that are loaded */
    struct message *following;   /* in the queue of reports */
    struct message *dirtynext;   /* of those with marks to write */
    uint32_t entry;
    int fd; /* read-only; holds the lock, and goes along with the jobs */
    dev_t dev;
    ino_t ino;
    char id[ID_SIZE];
    struct file file;
    struct bytes from, body, ret, envid, login;
    uint8_t smtputf8, requiretls;
    uint8_t waits;      /* its name is in wait/XX, not in new/ */
    uint8_t gone;       /* somebody took it away: nothing more is written */
    uint8_t linked;     /* it has another name: the end is marked in the file too */
    uint8_t dying;      /* DYING_*: this attempt is the last of these recipients */
    uint8_t now;        /* somebody asked for this attempt: what is not due yet is tried, too */
    uint8_t kept;       /* some of its recipients are held */
    uint8_t bulk;       /* it makes many jobs */
    uint8_t again;      /* a result may have been lost */
    uint8_t lost;       /* in this attempt one was */
    uint8_t attempt;    /* TRY_* */
    uint8_t reporting;  /* waits for a pneu-bounce, or has one */
    uint8_t kind;       /* REPORT_*: of that one */
    uint8_t notices;    /* its sender is to be told for the n-th time that it is late; 0: not asked yet */
    uint8_t synclog;    /* the log's lines must be on disk */
    uint8_t unreported; /* which failed */
    uint8_t moving;     /* linked into wait/XX, not yet synced there */
    uint8_t unclean;    /* a sync failed */
    uint8_t soon;       /* look again in seconds, the attempt did not take place */
    uint8_t dirty;      /* stands in that list */
    uint8_t loose;      /* it waits, unlocked: an operator may have changed or moved it */
    uint32_t syncs;     /* requests under way */
    uint32_t unmarked;  /* deliveries to other hosts whose marks nobody was asked to sync yet */
    uint32_t left;      /* recipients that are neither done nor failed */
    uint32_t failed;    /* of status F */
    uint32_t succeeded; /* of status S */
    uint32_t low, high; /* status bytes to write: low to high - 1 */
    uint64_t dirtied;   /* clock.boot when */
    stralloc log;       /* lines to write */
    off_t logend;       /* where; 0: not looked up yet */
    uint64_t arrival, again_at;
    uint8_t large; /* a list: SEND_LARGE */
    size_t cost;   /* bytes, of SEND_MEMORY */
    struct target *targets;
    uint32_t ntargets;
    stralloc text;
    struct group *groups;
    uint32_t ngroups, open; /* open: not yet wholly in jobs */
    uint32_t openat[2];     /* groups of each channel, of open */
    uint32_t jobs;          /* under way */
};

#define DYING_LOCAL 1u
#define DYING_REMOTE 2u

/* Letters that are tried for the first time, and all else: each has its own share of what may be loaded. */
enum { PARK_NEW, PARK_OLD, PARKS };

/* Entries of messages that are due, but all for destinations that have enough loaded, or are held. */
struct park {
    struct {
        uint32_t first, last, count;
    } chains[PARKS];
    uint32_t turn;
    struct park *next;       /* of those that may give some back */
    struct dest *dest;       /* NULL: it is the channel's own */
    struct channel *channel; /* NULL: it is for held senders */
    uint8_t listed;
};

/* A mail host, and all the domains it serves: known once one of them was connected to. */
struct site {
    struct site *next;                  /* in the hash chain */
    struct dest *blocked, *blockedlast; /* which wait for others of this site */
    uint32_t users;                     /* destinations that are served by it */
    uint32_t running, limit;            /* jobs */
    uint32_t set;                       /* the setting; 0: the limit is the largest of its domains */
    uint64_t read;                      /* clock.boot when that was */
    size_t len;
    char name[];
};

/* One way out: a domain for run/remote; a user, or all mailboxes, for run/local. */
struct dest {
    struct park park;
    struct dest *next; /* in the hash chain */
    struct channel *channel;
    struct lane lanes[LANES];
    uint32_t waiting[PARKS]; /* groups */
    uint32_t running, limit, perjob;
    struct pace pace;
    struct schedule schedule;
    uint64_t read; /* clock.boot when the settings were */
    uint64_t keep; /* clock.boot until which it is remembered, though nothing leads to it */
    uint64_t wake; /* clock.boot when it is looked at again; its place in the heap: 0, none */
    uint32_t wakeat;
    struct site *site;
    struct dest *blockednext;
    uint8_t blocked; /* stands in the site's list */
    uint8_t held;
    uint8_t route;
    size_t len;
    char name[];
};

struct channel {
    struct park park;
    char const *path, *name;
    struct jobwire wire;
    uint8_t up, full; /* full: the socket takes no more for now */
    uint64_t retry;   /* clock.boot of the next connect, or of the next job after a failure here */
    uint32_t backoff; /* milliseconds */
    uint32_t running, limit;
    uint32_t waiting[PARKS]; /* messages with groups that wait here */
    uint32_t patient;        /* jobs of old mail, of bulk, and of slow destinations: they may not have all places */
    uint8_t held, washeld;
    struct dest *ready[READIES], *readylast[READIES];
    unsigned int turn;
};

enum { CHANNEL_LOCAL, CHANNEL_REMOTE, CHANNELS };

struct running {
    struct message *message; /* NULL: free */
    struct dest *dest;
    struct channel *channel;
    uint64_t number;
    uint32_t at, end;   /* of the message's targets */
    uint32_t good, bad; /* results: delivered or refused for good; temporary */
    uint8_t trouble;    /* the host was the cause of one */
    uint8_t patient;
    uint64_t begun; /* clock.boot */
};

struct sync_request {
    uint32_t tag;
    int fd;
};

/* What somebody wants to hear of. */
struct synced {
    struct message *message; /* NULL: of a folder alone */
    uint32_t unmarked;       /* deliveries whose marks it brought to the disk */
    uint8_t sweep;           /* it was queue/new */
};

struct syncs {
    int fd;
    struct sync_request queue[SEND_SYNCS]; /* not yet sent: a ring */
    uint32_t first, count;
    struct synced of[SEND_SYNCS]; /* by tag */
    uint32_t free[SEND_SYNCS];
    uint32_t nfree;
    pid_t helpers[SEND_HELPERS];
};

enum report_kind { REPORT_FAILED, REPORT_SUCCEEDED, REPORT_DELAYED };

struct report {
    pid_t pid; /* 0: free */
    struct message *message;
};

/* The operator wants what waits for a domain: all entries are looked through, some at a time. */
struct flush {
    uint32_t at;            /* the next entry, round and round */
    uint32_t left[FLUSHES]; /* entries to look at for each name */
    uint32_t found;         /* messages */
    unsigned int count;     /* domains that are looked for; 0: none */
    char names[FLUSHES][TRIGGER_WORD];
};

struct scan {
    void *folder;     /* DIR, or NULL: none is open */
    int step;         /* -2: no scan; 0: new/, 1 to 256: wait/XX */
    uint8_t first;    /* the first of this process: everything may have been tried before */
    uint8_t thorough; /* ask known names for their times too */
    uint8_t again;    /* another one, thorough, was asked for meanwhile */
    uint64_t next;    /* clock.boot of the next */
    uint64_t begun;
    uint32_t found;
};

#define SEND_ROUTE_FILES 5 /* and the folder of those for other hosts: which domains have one */
#define SEND_NOTICES 8

enum { LIST_HOLDSENDERS, LIST_HOLDLOGINS, LIST_RETRYSENDERS, LIST_REPLIES, SEND_LISTS };

struct settings {
    struct routes routes;
    int remotes; /* control/remote/ exists: 1, its names are here; -1, ask for each domain */
    stralloc remotenames;
    uint32_t queuelifetime, queuelifetimelocal, bouncelifetime, copytime, rcptperjob, concurrency, concurrencysite;
    uint32_t concurrencyuser, deadtime, hold;
    uint32_t ratenumber, ratetime;
    struct schedule schedule;
    uint32_t notices[SEND_NOTICES]; /* ages at which a sender hears that his message is late */
    unsigned int nnotices;
    uint32_t noticeall;
    stralloc lists[SEND_LISTS];
    uint64_t read;                        /* clock.boot when */
    struct stat stamps[SEND_ROUTE_FILES]; /* of the files that decide where mail goes, when they were read */
    uint8_t broken;                       /* said already */
};

struct send {
    struct clock clock;
    struct clockfile clockfile;
    struct table table;
    struct settings settings;
    struct channel channels[CHANNELS];
    struct dest *dests[SEND_DESTS];
    uint32_t ndests;
    struct site *sites[SEND_DESTS];
    struct wakes wakes;
    struct park senders;              /* messages of held senders */
    struct park released;             /* those that are to be looked at again */
    uint8_t wanted;                   /* some entries are ENTRY_WANTED */
    struct park *giving, *givinglast; /* parks that may give back */
    struct message *messages;
    uint64_t loosen; /* clock.boot when those that only wait are unlocked; 0: not needed */
    uint32_t loaded, maxloaded;
    size_t memory, lists; /* bytes: of letters, of lists */
    struct running jobs[SEND_JOBS];
    uint32_t njobs;
    uint64_t sequence; /* of job numbers */
    uint32_t arrivals; /* key of TABLE_FRESH */
    uint64_t asked;    /* clock.boot when somebody last wanted something tried */
    struct message *dirty, *dirtylast;
    struct message *reports, *reportslast; /* waiting */
    struct report running[SEND_REPORTS];
    struct syncs syncs;
    struct scan scan;
    struct flush flush;
    char const *bounce;      /* path of pneu-bounce */
    struct replaced bounced; /* what is there: the one file that the sandbox lets be started */
    struct trigger trigger;
    int newfd;       /* queue/new */
    uint64_t sweep;  /* clock.boot when queue/new is to be synced; 0: nothing to sync */
    uint32_t sweeps; /* syncs of it under way that deliveries wait for */
    /* A delivery to another host keeps its place until its mark is on disk: so many may come twice after a power cut. */
    uint32_t unmarked; /* all of these */
    uint32_t unswept;  /* those whose mark is that the name left queue/new, and nobody was asked to sync that */
    uint8_t pressed;   /* others wait for these places */
    uint64_t pause;    /* clock.boot until which nothing is loaded: no memory, no descriptors */
    uint32_t backoff;
    unsigned int turn; /* whose turn it is to be loaded from */
    int stopping;
};

#endif
