/* What an operator does to a queued file, beside pneu-send or without it. Whoever changes a file holds its lock, which a delivery
 * under way holds too, and only then is it asked whether the name still leads to that file. Each move is a new name that is on disk
 * before the old one goes: a crash leaves one name or both, and both lead to one file. Nothing is ever replaced. */

#ifndef PNEU_QUEUE_MOVE_H
#define PNEU_QUEUE_MOVE_H

#include "queue/item.h"
#include "queue/select.h"

/* Locks an open item, waiting for it if `wait`, and reads it again. A move that was cut short between new/ and wait/ is brought to
 * its end first. Returns 1; 0 with errno: EWOULDBLOCK it is being tried, ENOENT it has gone elsewhere. */
extern int move_lock(struct item *, int wait);

/* Moves a locked item to that state's folder. Returns 1, or 0 with errno; EEXIST: another file has that name there. */
extern int move_to(struct item *, enum item_state to);

/* The same with a reason beside it, one line, which is on disk first. */
extern int move_aside(struct item *, enum item_state to, char const *why);

/* Removes a locked item, and its reason; its folder is the caller's to sync, once for many. Returns 1, or 0 with errno. */
extern int move_remove(struct item *);

/* Makes it due now. Returns 1, or 0 with errno. */
extern int move_due(struct item const *);

/* Adds a line to its log, of the recipients in `ranges`. That it cannot be written is of no consequence. */
extern void move_note(struct item *, char class, char const *code, char const *text, struct bytes ranges);

/* Marks the recipients that the selection names, and that are to be tried, as failed, or as done where nobody wants to know of a failure;
 * pneu-send then sees to the report. Returns how many, 0 if there are none; *written is then the file, to be synced before its lock
 * goes and closed; -1 with errno. */
extern int64_t move_fail(struct item *, struct select const *, char const *text, int *written);

/* Gives what those recipients have to come to another address: they are done, and it is added if it is not yet there. The file is written anew,
 * beside the old one and locked; once it is synced, move_replace lets it take the old one's place. Returns as move_fail. */
extern int64_t move_redirect(struct item *, struct select const *, char const *address, size_t len, char const *text,
                             int *written);

/* One step: whenever the power goes, the name leads to the old file or to the new one. The folder is the caller's to sync. Returns 1, or 0
 * with errno. */
extern int move_replace(char const *path);

/* The new one is not wanted. */
extern void move_unwrite(char const *path);

/* FOLDER/ID.why */
extern int move_why(char const *folder, char const *id, char const *why);

/* The line that stands there. Returns its length, with the newline. */
extern size_t move_whyline(char line[static ITEM_WHY_MAX + 1], char const *why);

/* Removes what stands beside that path. */
extern void move_forgetwhy(char const *path);

/* Gives the file of that stat a second name; a folder of wait/ that was lost is made again. Returns 1, also if it has that name; 0 with errno. */
extern int move_link(char const *from, struct stat const *, char const *folder, char const *to);

/* The folder of that state for this ID. */
extern void move_folder(char folder[static sizeof "queue/wait/XX"], enum item_state, char const *id);

#endif
