/* A message that is loaded: its file, its marks, its way through the folders (the state table is in queue(5)). */

#ifndef PNEU_SEND_MESSAGE_H
#define PNEU_SEND_MESSAGE_H

#include "send/send.h"

/* Loads the message of an entry that is in no heap, and begins what is due: reports, then an attempt. */
extern void message_load(struct send *, uint32_t entry);

/* Goes on, when something that was waited for has happened. The message may be gone afterwards. */
extern void message_proceed(struct send *, struct message *);

/* Sets a status byte; it is written soon. */
extern void message_mark(struct send *, struct message *, uint32_t index, char status);

/* So many bytes more are held in memory for it. */
extern void message_cost(struct send *, struct message *, size_t bytes);

/* Its log has lines to write soon. */
extern void message_dirty(struct send *, struct message *);

/* A job of it at another host is over, which took it for somebody: its place is free once that is marked on disk. */
extern void message_delivered(struct send *, struct message *);

/* Writes marks and log of messages that have waited long enough. Returns the milliseconds until the next is due, -1: none. */
extern int message_flush(struct send *);

/* A sync of this message's file or folder came to its end. */
extern void message_synced(struct send *, struct message *, int e);

/* Unlocks those that only wait for their turn: behind a rate that may take hours, and nobody is trying them. */
extern void message_loosen(struct send *);

/* Before something is done about one that may be unlocked: locks it again. Returns 1; 0 if somebody has it, or it is not what it was. */
extern int message_tighten(struct message *);

/* Somebody says that a message which is being worked on has changed, or it was found to have: if it only waits, it is loaded anew. */
extern void message_reload(struct send *, struct message *);
extern void message_asked(struct send *, uint32_t entry);

/* Unloads it, its entry stays as it is. */
extern void message_unload(struct send *, struct message *);

/* Where it is parked: PARK_OLD or PARK_NEW. */
static inline unsigned int
message_chain(struct message const *m)
{
    return m->waits || m->bulk ? PARK_OLD : PARK_NEW;
}

/* Puts the entry where it is looked at again after that many seconds. */
extern void message_later(struct send *, uint32_t entry, uint32_t seconds);

#define MESSAGE_PATH (sizeof "queue/wait/XX/" + ID_LEN)

/* queue/new/ID or queue/wait/XX/ID */
extern void message_path(char path[static MESSAGE_PATH], char const *id, int waits);

#endif
