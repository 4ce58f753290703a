/* The queue's protocol as a model for spin: two writers of one message, pneu-send, its deliverers and its reports, an
 * operator who moves files, a disk that writes what was not synced in any order or not at all. Each may be killed before
 * every step, and the power may fail before every step, as often as it likes. queue.case.sh runs it; every state is
 * looked at, none is hashed away.
 *
 *     spin -a queue.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m9000000       all is well: errors: 0
 *     spin -DMOVED_EARLY -a queue.pml && ...; spin -t queue.pml                       a mistake: what happened, step by step
 *
 * One process holds all: each line beginning with STEP is one system call, or what one program does between two of them,
 * with the program and the function it stands for. It is possible in the states that its condition tells. So the model is
 * a table, a program's place in its work is a number, and to kill a program is to set it to 0.
 *
 * The message has an ID made from a token, so that both writers mean one name: what pneu-bounce and pneu-local use. Writers
 * of different IDs share nothing but the folder, which a writer's fsync writes for all; the disk here writes it at any time.
 * A message without a token may get its name before it is synced (name_first() of queue/commit.c): commit.case.sh has that.
 * It has two recipients, a Maildir here and one on another host, who is told yes, not now, or never; then a report is owed.
 *
 * What must hold:
 *   lost       to whom yes was said, on the disk, at each power cut: each recipient is delivered, and where his sender
 *              asked for it the report of that is made, or he is reported as failed; or the message is there, whole, and
 *              has him as one to do
 *   untrue     a mark on the disk says what the disk or the other host has: of a failure and of a success its report
 *   torn       what has a name is whole
 *   beside     no second attempt begins while one of the same file runs
 *   twice      the other host gets it once, but for a cause the protocol cannot help: see `excuse`. The Maildir has one name
 *              for it, and so has it once; with ANY_NAME it has not, and that is noticed
 *   after all  nobody gets it whose sender has a report that he did not, or that he did
 *   told       the notice of delay is made once, but for a cause the protocol cannot help: see `unlogged`
 *   stuck      once all faults stop, and what is held is released, it is delivered: the end is reached, on every way
 *              (pan -a: there is no way on which something goes round for ever)
 */

/* What there is of it:
 *   (nothing)             one writer of one file, both recipients, nobody asked for a report of success
 *   TWO_WRITERS           two writers of a file each
 *   ONE_RECIPIENT         the remote one, who is never refused
 *   NOTIFY_REMOTE         the sender wants to hear of the remote recipient's success: status S
 *   NOTIFY_LOCAL          of the local one's
 *   NOTICE                the first attempt that fails for now is late already: the sender hears of that once, class W in the log
 *   MOVES=n               so often somebody moves a file without its lock: nothing is lost, but more may come twice
 *   RETURN                an operator gives the remote recipient up with pneu-return; one who holds and releases there is always
 *   NO_OPERATOR           but not here: once all is calm, what lies in hold/ is released, no more
 */
#ifdef TWO_WRITERS
#define FILES 2
#else
#define FILES 1
#endif
#ifdef ONE_RECIPIENT
#define NO_LOCAL 1
#else
#define NO_LOCAL 0
#endif
#ifdef NOTIFY_LOCAL
#define LOCAL_GOOD SUCCEEDED
#else
#define LOCAL_GOOD DONE
#endif
#ifdef NOTIFY_REMOTE
#define REMOTE_GOOD SUCCEEDED
#else
#define REMOTE_GOOD DONE
#endif
#ifdef NOTICE
#define LATE (!unlogged)
#define NO_NOTICE \
    if :: unlogged -> m_notice = 0; d_notice = 0; m_w[1] = 0; d_w[1] = 0; m_w[FILES] = 0; d_w[FILES] = 0; s_w = 0; s_told = 0 \
       :: else fi
#else
#define LATE 0
#define NO_NOTICE skip
#endif
#ifdef NO_OPERATOR
#define OPERATOR 0
#else
#define OPERATOR 1
#endif
#ifdef RETURN
#define RETURNS 1
#else
#define RETURNS 0
#endif
#ifndef MOVES
#define MOVES 0
#endif

/* Mistakes. Each of these makes one, and must be found: FILE_UNSYNCED FOLDER_UNSYNCED NO_LOCK NO_CHECK MARK_FIRST END_EARLY
 * REPORT_EARLY NO_SYNC_AT_START MOVED_EARLY SETTLE_UNLOCKED BOX_UNSYNCED BOX_FILE_UNSYNCED BOX_KNOWN_UNSYNCED ANY_NAME LINKED_IGNORED
 * OPERATOR_EARLY NOT_TIGHTENED; with RETURN RETURN_BELIEVED; with TWO_WRITERS KNOWN_UNSYNCED and NO_SECOND_LOOK; with NOTIFY_REMOTE SUCCESS_IS_DONE SUCCESS_TRIED
 * SUCCESS_EARLY SUCCESS_UNSYNCED; with NOTICE NOTICE_UNLOGGED NOTICE_UNSYNCED. */

/* ---- the disk: m_ is what programs see, d_ what a power cut leaves ---- */

byte m_new, d_new, m_wait, d_wait, m_hold, d_hold; /* the file that each name leads to, 0: there is none */
bool tied;                                         /* a rename changed two of them: the disk has both or neither */
bool m_whole[FILES + 1], d_whole[FILES + 1];       /* header and message */
byte m_l[FILES + 1], d_l[FILES + 1];               /* status byte of the local recipient */
byte m_r[FILES + 1], d_r[FILES + 1];               /* of the remote one */
bool m_w[FILES + 1], d_w[FILES + 1];               /* a line of class W in the log */
#define TODO 0
#define DONE 1
#define FAILED 2
#define BOUNCED 3
#define SUCCEEDED 4
bool m_box, d_box, m_boxfile, d_boxfile;           /* the Maildir's name for it, and its bytes */
bool m_report, d_report;                           /* the report's name in queue/new: its token makes it one */
bool m_confirm, d_confirm;                         /* that of the report of success */
bool m_notice, d_notice;                           /* that of the notice of delay */

/* ---- what is outside: no power cut changes it ---- */

bool remote;           /* the other host took it */
bool heard;            /* a writer was told yes */
bool twice;            /* the Maildir has it under two names */
bool excuse;           /* the other host may get it again: it took it, and
                        *   the machine stopped before the mark was on the disk (queue(5): 6, 12),
                        *   the deliverer or pneu-send was killed before the mark was written (6; RFC 1047), or
                        *   somebody moved the file without its lock while it was being tried */
bool late;             /* there are two files of the token, and both may be delivered:
                        *   the first was done and gone before the second's writer looked for it,
                        *   the second's writer was killed before it looked again, or its machine stopped before it had gone again, or
                        *   somebody let go what was set aside as a second file of that name, or the first file between the writer's last two looks */
bool unlogged;         /* the sender may be told of the delay again: he was, and
                        *   the machine stopped, or pneu-send or pneu-bounce was killed, before W was on the disk (queue(5): 13), or
                        *   what was told is in a second file of the token, or in one that was moved without its lock meanwhile;
                        * what follows is the model without notices */
byte moves, aside, withdrawn;                       /* withdrawn: the file whose writer took its name back, as long as the disk has that */
bool failing;          /* the power fails: all programs have stopped, the disk writes its last */
bool over;             /* nothing is left to do */
bool calm;             /* from now on nothing is killed, nobody moves anything, the other host does not say later */

/* ---- the programs: where they are in their work, and what they hold in memory ---- */

byte w[2], w_file[2];                              /* writers; place in queue/commit.c */
byte made;                                         /* files made so far */
byte s, s_file, s_l, s_r;                          /* pneu-send; the message's file; its copy of the status bytes */
bool s_waits;                                      /* the name is that in wait/ */
bool s_again;                                      /* just started: ENTRY_AGAIN */
bool s_linked;                                     /* it had another name, too */
bool s_tried, s_dirty, s_sync, s_gone, s_owed;     /* attempt made; marks to write; a sync asked for; moved away; report failed */
bool s_told, s_w;                                  /* the notice was asked for; its line is to be written */
byte l, l_file, r, r_file, b, b_file, b_of;        /* a local delivery, a remote one, a report: each holds the file's lock */
#define OF_FAILURE 0
#define OF_SUCCESS 1
#define OF_DELAY 2
byte o, o_file;                                    /* an operator's program between the two steps of a move, with the lock */
#define HOLD_NEW 1
#define HOLD_WAIT 2
#define RELEASE 3
#define GIVE_UP 4
bool l_ours, r_ours, b_ours;                       /* the pneu-send that started it still lives */

/* What nobody can read any more is all alike, so that states differ in what matters. */
#define NAMED(file) \
    (m_new == file || m_wait == file || m_hold == file || d_new == file || d_wait == file || d_hold == file)
#define FORGET(file) \
    if :: m_whole[file] && !NAMED(file) && !HELD(file) && s_file != file -> m_whole[file] = 0; d_whole[file] = 0; \
        m_l[file] = 0; d_l[file] = 0; m_r[file] = 0; d_r[file] = 0; m_w[file] = 0; d_w[file] = 0 :: else fi
#if FILES > 1
#define ALIKE NO_NOTICE; FORGET(1); FORGET(2); if :: withdrawn && d_new != withdrawn -> withdrawn = 0 :: else fi
#else
#define ALIKE NO_NOTICE; FORGET(1)
#endif

#define STEP(condition, text, what) :: d_step { !failing && (condition) -> printf(text); what; ALIKE }
#define STEPN(n, condition, text, what) :: d_step { !failing && (condition) -> printf(text, n); what; ALIKE }

/* The disk writes what it likes, when it likes. Of what changes but once it is enough to ask what was written when the power
 * fails; names and the remote status go through several values, of which each may have been written. */
#define DISK(name, text) :: d_step { d_##name != m_##name -> printf(text); d_##name = m_##name; ALIKE }
#define LAST(name, text) :: d_step { failing && d_##name != m_##name -> printf(text); d_##name = m_##name }
#define SYNC_NAMES(name) if :: tied -> d_new = m_new; d_wait = m_wait; d_hold = m_hold; tied = 0 :: else -> d_##name = m_##name fi

#define THERE (s_waits -> m_wait : m_new)          /* what the name we took leads to now */
#define HELD(file) \
    ((l && l_file == file) || (r && r_file == file) || (b && b_file == file) || (o && o_file == file) || \
     w_file[0] == file || w_file[1] == file)
#define NAMES(file) ((m_new == file) + (m_wait == file) + (m_hold == file))
#define LOOSE 7
#define LEFT (s_l == TODO || s_r == TODO)
#define SUCCESS_OWED (s_l == SUCCEEDED || s_r == SUCCEEDED)
#define OWED (s_r == FAILED || SUCCESS_OWED)
#define IDLE (!(l && l_ours) && !(r && r_ours) && !(b && b_ours) && !s_sync)
#define WHOLE(name) (name && d_whole[name])
#define UNMARKED(name) (name && (d_r[name] == TODO || d_r[name] == FAILED))
#define UNTOLD(name) (name && !d_w[name])
#define TOO_LATE late = 1; excuse = 1; unlogged = 1
#define FREE_HANDS (s == 0 && (m_new || m_wait) && (!calm || !(m_new && HELD(m_new)) && !(m_wait && HELD(m_wait))))

/* ---- queue/commit.c, twice: pneu-queued for two clients, or for one that tries again ---- */

#ifdef KNOWN_UNSYNCED
#define KNOWN 8
#else
#define KNOWN 7
#endif
#ifdef FILE_UNSYNCED
#define AFTER_WRITE 6
#else
#define AFTER_WRITE 5
#endif
#ifdef FOLDER_UNSYNCED
#define AFTER_NAME 8
#else
#define AFTER_NAME 7
#endif
#ifdef NO_SECOND_LOOK
#define AFTER_LINK AFTER_NAME
#else
#define AFTER_LINK 10
#endif

/* Writer 0 is the one that makes its file first.
 * The file is locked from its making to the yes, for somebody else may have been faster, and pneu-send have moved his file
 * away from new/, between the first look and the link: then this one goes again, untried. */
#define WRITER(n) \
    STEPN(n, w[n] == 0, "writer %d: looks in new/\n", w[n] = (m_new -> KNOWN : 2)) /* known() */ \
    STEPN(n, w[n] == 2, "writer %d: looks in wait/\n", w[n] = (m_wait -> KNOWN : 3)) \
    STEPN(n, w[n] == 3, "writer %d: looks in hold/\n", w[n] = (m_hold -> KNOWN : 4)) \
    STEPN(n, w[n] == 4 && made == n, "writer %d: writes a file without a name\n", /* make(), finish() */ \
        made++; w_file[n] = made; m_whole[made] = 1; w[n] = AFTER_WRITE) \
    STEPN(n, w[n] == 4 && made > n, "writer %d: gives up\n", w[n] = 9) \
    STEPN(n, w[n] == 5, "writer %d: fsync of the file\n", d_whole[w_file[n]] = m_whole[w_file[n]]; w[n] = 6) /* sync_fd() */ \
    STEPN(n, w[n] == 6 && m_new, "writer %d: link says it exists\n", w_file[n] = 0; w[n] = KNOWN) /* name_it() */ \
    STEPN(n, w[n] == 6 && !m_new, "writer %d: links it into new/\n", \
        if :: (remote || m_report) && !m_wait && !m_hold -> TOO_LATE :: else fi; m_new = w_file[n]; w[n] = AFTER_LINK) \
    STEPN(n, w[n] == 10, "writer %d: looks in wait/ again\n", w[n] = (m_wait && m_wait != w_file[n] -> 12 : 11)) \
    STEPN(n, w[n] == 11, "writer %d: looks in hold/ again\n", \
        if :: (remote || m_report) && !m_hold -> TOO_LATE :: else fi; w[n] = (m_hold && m_hold != w_file[n] -> 12 : AFTER_NAME)) \
    STEPN(n, w[n] == 12, "writer %d: removes its name in new/\n", \
        if :: m_new == w_file[n] -> m_new = 0; withdrawn = w_file[n] :: else fi; w[n] = AFTER_NAME) \
    STEPN(n, w[n] == 7, "writer %d: fsync of new/\n", SYNC_NAMES(new); w[n] = 8) /* sync_fd() */ \
    STEPN(n, w[n] == 8, "writer %d: yes\n", heard = 1; w_file[n] = 0; w[n] = 9) \
    STEPN(n, w[n] && w[n] != 9 && !calm, "writer %d: KILLED\n", \
        if :: w[n] > 9 -> TOO_LATE :: else fi; w[n] = 0; w_file[n] = 0)

/* ---- what a power cut leaves: it must do ---- */

#define LOCAL_TODO(name) (WHOLE(name) && (d_l[name] == TODO || d_l[name] == SUCCEEDED))
#define REMOTE_TODO(name) (WHOLE(name) && (d_r[name] == TODO || d_r[name] == FAILED || d_r[name] == SUCCEEDED))
#define LOCAL_TOLD(confirm) (LOCAL_GOOD == DONE || confirm)
#define REMOTE_TOLD(confirm) (REMOTE_GOOD == DONE || confirm)
#define LOCAL_MARKS(n) (d_l[n] == TODO || NO_LOCAL || (d_box && d_boxfile && (d_l[n] == SUCCEEDED || LOCAL_TOLD(d_confirm))))
#define REMOTE_MARKS(n) \
    ((d_r[n] != DONE || (remote && REMOTE_TOLD(d_confirm))) && (d_r[n] != SUCCEEDED || remote) && (d_r[n] != BOUNCED || d_report))
#define TRUE_MARKS(n) (LOCAL_MARKS(n) && REMOTE_MARKS(n))

/* pneu-send ends: what it knew is gone; what it had started goes on, and nobody hears of it. */
inline forget() {
    s = 0; s_file = 0; s_r = 0; s_l = 0; s_waits = 0; s_linked = 0;
    s_tried = 0; s_dirty = 0; s_sync = 0; s_gone = 0; s_owed = 0; s_told = 0; s_w = 0
}

inline stop_send() {
    if
    :: (b && b_ours && b_of == OF_DELAY) || s_w || (s_sync && !d_w[s_file] && m_w[s_file]) -> unlogged = 1
    :: else
    fi;
    forget();
    s_again = 1; l_ours = 0; r_ours = 0; b_ours = 0;
}

/* All programs are gone; then the disk may write some more; then it is off. */
inline power_fails() {
    stop_send();
    if :: (w[0] > 9 || w[1] > 9) -> TOO_LATE :: else fi;
    if :: w[0] != 9 -> w[0] = 0; w_file[0] = 0 :: else fi;
#if FILES > 1
    if :: w[1] != 9 -> w[1] = 0; w_file[1] = 0 :: else fi;
#endif
    l = 0; r = 0; b = 0; o = 0; l_file = 0; r_file = 0; b_file = 0; b_of = 0; o_file = 0;
    failing = 1
}

inline power_cut() {
    assert(!heard || NO_LOCAL || (d_box && d_boxfile && LOCAL_TOLD(d_confirm)) || LOCAL_TODO(d_new) || LOCAL_TODO(d_wait) ||
           LOCAL_TODO(d_hold));                                                                                 /* lost */
    assert(!heard || (remote && REMOTE_TOLD(d_confirm)) || d_report || REMOTE_TODO(d_new) || REMOTE_TODO(d_wait) ||
           REMOTE_TODO(d_hold));                                                                                /* lost */
    assert(TRUE_MARKS(1) && TRUE_MARKS(FILES));                                                                 /* untrue */
    assert((!d_new || d_whole[d_new]) && (!d_wait || d_whole[d_wait]) && (!d_hold || d_whole[d_hold]));         /* torn */
    if
    :: remote && (UNMARKED(d_new) || UNMARKED(d_wait) || UNMARKED(d_hold)) -> excuse = 1
    :: else
    fi;
    if
    :: made == 2 && (d_new == 1 || d_wait == 1 || d_hold == 1) && (d_new == 2 || d_wait == 2 || d_hold == 2) -> TOO_LATE
    :: withdrawn && d_new == withdrawn -> TOO_LATE
    :: else
    fi;
    m_new = d_new; m_wait = d_wait; m_hold = d_hold; tied = 0;
    m_whole[1] = d_whole[1]; m_l[1] = d_l[1]; m_r[1] = d_r[1]; m_w[1] = d_w[1];
#if FILES > 1
    m_whole[2] = d_whole[2]; m_l[2] = d_l[2]; m_r[2] = d_r[2]; m_w[2] = d_w[2];
#endif
    m_box = d_box; m_report = d_report; m_confirm = d_confirm; m_notice = d_notice;
    if
    :: !d_box -> m_boxfile = 0; d_boxfile = 0 /* it had no name */
    :: else -> m_boxfile = d_boxfile
    fi;
    failing = 0
}

inline rest() { /* message_unload(): done with it for now */
    forget();
    s_again = 0
}

inline move(from, to) { to = from; from = 0; tied = 1 }

/* Without asking for the lock: an attempt that runs cannot mark what it did. */
inline move_unasked(from, to) {
    if
    :: (s >= 4 && s_file == from) || (r && r_file == from) || (b && b_file == from) || (o && o_file == from) -> excuse = 1; unlogged = 1
    :: else
    fi;
    /* Nor can its writer take its name back. */
    if :: (w[0] >= 10 && w_file[0] == from) || (w[1] >= 10 && w_file[1] == from) -> TOO_LATE :: else fi;
    move(from, to); moves++
}

#ifdef MOVED_EARLY
#define AFTER_MOVE 23
#else
#define AFTER_MOVE 22
#endif
#define MUST_SETTLE (s_again && m_new && m_wait)
#ifdef SETTLE_UNLOCKED
#define SETTLE_LOCKED 1
#define SEND_HOLDS(file) (s >= 4 && s != LOOSE && s_file == file)
#else
#define SETTLE_LOCKED (!HELD(m_new))
#define SEND_HOLDS(file) (s && s != 3 && s != LOOSE && s_file == file)
#endif
#ifdef BOX_FILE_UNSYNCED
#define AFTER_BOX_WRITE 3
#else
#define AFTER_BOX_WRITE 2
#endif
#ifdef BOX_UNSYNCED
#define AFTER_BOX_LINK 5
#else
#define AFTER_BOX_LINK 4
#endif
#ifdef BOX_KNOWN_UNSYNCED
#define BOX_KNOWN 5
#else
#define BOX_KNOWN 4
#endif
#ifdef ANY_NAME
#define BOX_EXISTS 0
#else
#define BOX_EXISTS m_box
#endif
#ifdef SUCCESS_IS_DONE
#define SETTLED(status) (status == DONE || status == BOUNCED || status == SUCCEEDED)
#else
#define SETTLED(status) (status == DONE || status == BOUNCED)
#endif
#ifdef END_EARLY
#define ALL_DONE (SETTLED(s_l) || SETTLED(s_r))
#else
#define ALL_DONE (SETTLED(s_l) && SETTLED(s_r))
#endif
#ifdef SUCCESS_TRIED
#define IS_TARGET(status) (status == TODO || status == SUCCEEDED)
#else
#define IS_TARGET(status) (status == TODO)
#endif
#ifdef LINKED_IGNORED
#define MARKED_IF_LINKED 1
#else
#define MARKED_IF_LINKED (!s_linked || !s_dirty)
#endif
#define DUE (s == 6 && IDLE && !s_gone && !s_tried && LEFT && !ALL_DONE && !s_dirty && (!OWED || s_owed))
#ifdef NOT_TIGHTENED
#define UNCHANGED 1
#else
#define UNCHANGED \
    (!HELD(s_file) && THERE == s_file && (NO_LOCAL || m_l[s_file] == s_l) && m_r[s_file] == s_r)
#endif
/* Marks that one wrote who was killed then may be in memory alone, pneu-send's or those of pneu-return. */
#ifdef NO_SYNC_AT_START
#define NEEDS_SYNC 0
#else
#define NEEDS_SYNC ((s_again && (m_l[s_file] != TODO || m_r[s_file] != TODO)) || RETURNED)
#endif
#ifdef RETURN_BELIEVED
#define RETURNED 0
#else
#define RETURNED (m_r[s_file] == FAILED)
#endif
#ifdef REPORT_EARLY
#define FAILURE_WRITTEN 1
#else
#define FAILURE_WRITTEN (!s_dirty)
#endif
#ifdef SUCCESS_EARLY
#define SUCCESS_WRITTEN 1
#else
#define SUCCESS_WRITTEN (!s_dirty)
#endif
#ifdef SUCCESS_UNSYNCED
#define SYNCED_MARK (s_r != SUCCEEDED && s_l != SUCCEEDED)
#else
#define SYNCED_MARK 1
#endif
#ifdef NOTICE_UNLOGGED
#define NOTICE_LINE 0
#else
#define NOTICE_LINE 1
#endif
#ifdef NOTICE_UNSYNCED
#define SYNCED_LINE 0
#else
#define SYNCED_LINE s_w
#endif
#ifdef OPERATOR_EARLY
#define SYNC_TARGET skip
#else
#define SYNC_TARGET if :: o == RELEASE -> SYNC_NAMES(wait) :: else -> SYNC_NAMES(hold) fi
#endif
/* pneu-bounce reads in the file whom it is to tell of. */
#define IS_ABOUT \
    (b_of == OF_DELAY || (b_of == OF_FAILURE && m_r[b_file] == FAILED) || \
     (b_of == OF_SUCCESS && (m_l[b_file] == SUCCEEDED || m_r[b_file] == SUCCEEDED)))
#define MADE (b_of == OF_FAILURE -> m_report : (b_of == OF_SUCCESS -> m_confirm : m_notice))

active proctype world()
{
    do
    WRITER(0)
#if FILES > 1
    WRITER(1)
#endif

    /* ---- the disk writes what it likes, when it likes ---- */
    :: d_step { !tied && d_new != m_new -> printf("disk: a name in new/\n"); d_new = m_new; ALIKE }
    :: d_step { !tied && d_wait != m_wait -> printf("disk: a name in wait/\n"); d_wait = m_wait; ALIKE }
    :: d_step { !tied && d_hold != m_hold -> printf("disk: a name in hold/\n"); d_hold = m_hold; ALIKE }
    :: d_step { tied -> printf("disk: a rename\n"); d_new = m_new; d_wait = m_wait; d_hold = m_hold; tied = 0; ALIKE }
    DISK(r[1], "disk: the first file's remote mark\n")
    LAST(whole[1], "disk: the first file\n")
    LAST(l[1], "disk: the first file's local mark\n")
    LAST(w[1], "disk: the first file's log\n")
#if FILES > 1
    DISK(r[2], "disk: the second file's remote mark\n")
    LAST(whole[2], "disk: the second file\n")
    LAST(l[2], "disk: the second file's local mark\n")
    LAST(w[2], "disk: the second file's log\n")
#endif
    LAST(box, "disk: the name in the Maildir\n")
    LAST(boxfile, "disk: the file in the Maildir\n")
    LAST(report, "disk: the report's name\n")
    LAST(confirm, "disk: the name of the report of success\n")
    LAST(notice, "disk: the notice's name\n")

    /* ---- send/message.c: load ---- */
    STEP(FREE_HANDS && m_new && m_wait && m_new == m_wait && SETTLE_LOCKED, "send: both names lead to one file, locks it\n",
         s_file = m_new; s = 1)                                                                             /* settle_twice() */
    STEP(s == 1, "send: fsync of wait/\n", SYNC_NAMES(wait); s = 2)
    STEP(s == 2, "send: removes the name in new/\n", m_new = 0; rest())
    STEP(FREE_HANDS && m_new && m_wait && m_new != m_wait && !m_hold, "send: another file of that name goes to hold/\n",
         m_hold = m_new; aside = m_new; m_new = 0; tied = 1; s_again = 0)                                         /* aside() */
    STEP(FREE_HANDS && m_new && !MUST_SETTLE, "send: opens it in new/\n", s_file = m_new; s_waits = 0; s = 3) /* open_either() */
    STEP(FREE_HANDS && m_wait && (!MUST_SETTLE || (m_hold && m_new != m_wait)), "send: opens it in wait/\n",
         s_file = m_wait; s_waits = 1; s = 3)
#ifdef NO_LOCK
    STEP(s == 3, "send: does not ask for the lock\n", s_linked = (NAMES(s_file) > 1); s = 4)
#else
    STEP(s == 3 && HELD(s_file), "send: somebody has the lock\n", rest(); s_again = 1)                             /* lock() */
    STEP(s == 3 && !HELD(s_file), "send: locks it\n", s_linked = (NAMES(s_file) > 1); s = 4)
#endif
#ifdef NO_CHECK
    STEP(s == 4, "send: does not look at the name again\n", s = 5)
#else
    STEP(s == 4 && THERE != s_file, "send: the name leads elsewhere\n", rest(); s_again = 1)
    STEP(s == 4 && THERE == s_file, "send: the name leads there still\n", s = 5)
#endif
    STEP(s == 5, "send: reads it\n", assert(m_whole[s_file]); s_l = (NO_LOCAL -> DONE : m_l[s_file]); s_r = m_r[s_file];
         s_sync = NEEDS_SYNC; s = 6)                                                                 /* file_read() */

    /* ---- message_proceed(): no job, no sync, no report of ours is under way ---- */
    STEP(s == 6 && IDLE && s_gone, "send: it is gone\n", rest())
    STEP(s == 6 && IDLE && !s_gone && s_r == FAILED && !s_owed && !b && FAILURE_WRITTEN, "send: starts the report\n",
         b = 1; b_file = s_file; b_of = OF_FAILURE; b_ours = 1)                                  /* report_ask() */
    STEP(s == 6 && IDLE && !s_gone && s_r != FAILED && SUCCESS_OWED && !s_owed && !b && SUCCESS_WRITTEN,
         "send: starts the report of success\n", b = 1; b_file = s_file; b_of = OF_SUCCESS; b_ours = 1)
    STEP(s == 6 && IDLE && !s_gone && ALL_DONE && MARKED_IF_LINKED && s_waits, "send: all are done, removes the name in wait/\n",
         m_wait = 0; rest())                                                                                        /* end() */
    STEP(s == 6 && IDLE && !s_gone && ALL_DONE && MARKED_IF_LINKED && !s_waits, "send: all are done, removes the name in new/\n",
         m_new = 0; rest())
    STEP(DUE && (!l || l_file == s_file) && (!r || r_file == s_file), "send: starts the jobs\n",                   /* attempt_begin() */
         assert(s_l != TODO || !l); assert(s_r != TODO || !r);                                                    /* beside */
         if :: IS_TARGET(s_l) -> l = 1; l_file = s_file; l_ours = 1 :: else fi;
         if :: IS_TARGET(s_r) -> assert((!m_report && (!m_confirm || REMOTE_GOOD == DONE)) || late); /* after all */
               r = 1; r_file = s_file; r_ours = 1 :: else fi;
#ifdef MARK_FIRST
         s_l = (s_l == TODO -> DONE : s_l); s_r = (s_r == TODO -> DONE : s_r); s_dirty = 1;
#endif
         s_tried = 1)

    /* ---- who only waits for his turn is unlocked ---- */
    STEP(DUE && OPERATOR && !calm, "send: unlocks it until its turn comes\n", s = LOOSE)                      /* message_loosen() */
    STEP(s == LOOSE && UNCHANGED, "send: locks it again\n", s_linked = (NAMES(s_file) > 1); s = 6)       /* message_tighten() */
    STEP(s == LOOSE && !UNCHANGED, "send: it is another one now\n", forget())                            /* message_reload() */

    /* ---- report_late() ---- */
#define ALL_TRIED (s == 6 && IDLE && !s_gone && !s_dirty && !ALL_DONE && (s_tried || !LEFT) && (!OWED || s_owed))
#define ASKS_NOTICE (LATE && LEFT && !s_told && !m_w[s_file])
    STEP(ALL_TRIED && ASKS_NOTICE && !b, "send: starts the notice of delay\n",
         b = 1; b_file = s_file; b_of = OF_DELAY; b_ours = 1; s_told = 1)

    /* ---- send/marks.c: also while other jobs run ---- */
    STEP(s == 6 && s_dirty && !s_sync && THERE == s_file, "send: writes the marks\n",                               /* marks_write() */
         m_l[s_file] = (NO_LOCAL -> TODO : s_l); m_r[s_file] = s_r; m_w[s_file] = m_w[s_file] || (s_w && NOTICE_LINE);
         s_sync = (s_w -> SYNCED_LINE : SYNCED_MARK); s_w = 0; s_dirty = 0)
    STEP(s == 6 && s_dirty && !s_sync && THERE != s_file, "send: has no file to mark\n",
         if :: s_w -> unlogged = 1 :: else fi; s_w = 0; s_dirty = 0; s_gone = 1)
    STEP(s_sync, "send's helper: fdatasync of the file\n",
         d_l[s_file] = m_l[s_file]; d_r[s_file] = m_r[s_file]; d_w[s_file] = m_w[s_file]; s_sync = 0)

    /* ---- defer(), moved() ---- */
#define OVER (ALL_TRIED && !ASKS_NOTICE)
    STEP(OVER && s_waits, "send: it stays in wait/\n", rest())
    STEP(OVER && !s_waits && !m_new, "send: it is gone\n", rest())
    STEP(OVER && !s_waits && m_new && !m_wait, "send: links it into wait/\n", m_wait = m_new; s = AFTER_MOVE)
    STEP(OVER && !s_waits && m_new && m_wait && m_wait == s_file, "send: wait/ has it\n", s = AFTER_MOVE)
    STEP(OVER && !s_waits && m_new && m_wait && m_wait != s_file, "send: wait/ has another\n", rest(); s_again = 1)
    STEP(s == 22, "send: fsync of wait/\n", SYNC_NAMES(wait); s = 23)
    STEP(s == 23, "send: removes the name in new/\n", m_new = 0; rest())

    /* A pneu-send that is started again is at once where the last one began. */
    STEP(s && !calm, "send: KILLED\n",
         if :: remote && s >= 6 && m_r[s_file] == TODO -> excuse = 1 :: else fi; stop_send())

    /* ---- local/maildir.c ---- */
    STEP(l == 1, "local: writes a file without a name\n", if :: !BOX_EXISTS -> m_boxfile = 1 :: else fi; l = AFTER_BOX_WRITE)
    STEP(l == 2, "local: fsync of the file\n", if :: !m_box -> d_boxfile = m_boxfile :: else fi; l = 3)
    STEP(l == 3 && BOX_EXISTS, "local: link says it exists\n", l = BOX_KNOWN)
    STEP(l == 3 && !BOX_EXISTS, "local: links it into the Maildir\n", twice = m_box; m_box = 1; l = AFTER_BOX_LINK)
    STEP(l == 4, "local: fsync of the Maildir\n", d_box = m_box; l = 5)
    STEP(l == 5, "local: delivered\n", assert(!twice);
         if :: l_ours -> s_l = LOCAL_GOOD; s_dirty = 1 :: else fi; l = 0; l_file = 0; l_ours = 0)
    STEP(l && !calm, "local: KILLED\n", l = 0; l_file = 0; l_ours = 0)

    /* ---- remote/transact.c ---- */
    STEP(r == 1, "remote: the other host takes it\n", assert(!remote || excuse); remote = 1; r = 2) /* twice */
    STEP(r == 2, "remote: delivered\n",
         if :: r_ours -> s_r = REMOTE_GOOD; s_dirty = 1 :: else -> excuse = 1 fi; r = 0; r_file = 0; r_ours = 0)
    STEP(r == 2 && !calm, "remote: KILLED, or the connection lost, before the answer\n", excuse = 1; r = 0; r_file = 0; r_ours = 0)
    STEP(r == 1 && !calm, "remote: not now, or KILLED\n", r = 0; r_file = 0; r_ours = 0)
    STEP(r == 1 && !remote && !NO_LOCAL, "remote: never\n",
         if :: r_ours -> s_r = FAILED; s_dirty = 1 :: else fi; r = 0; r_file = 0; r_ours = 0)

    /* ---- bounce/bounce.c: commits a message under a token of its own; here only the commit's last two steps ---- */
    STEP(b == 1 && !IS_ABOUT, "bounce: finds nobody to tell of\n", b = 3)
    STEP(b == 1 && IS_ABOUT && !MADE, "bounce: links the report into new/\n",
         if :: b_of == OF_FAILURE -> m_report = 1 :: b_of == OF_SUCCESS -> m_confirm = 1 :: else -> m_notice = 1 fi; b = 2)
    STEP(b == 1 && IS_ABOUT && MADE, "bounce: makes the report again\n",
         assert(b_of != OF_DELAY || unlogged); b = 2)                                                               /* told */
    STEP(b == 2, "bounce: fsync of new/\n", d_report = m_report; d_confirm = m_confirm; d_notice = m_notice; b = 3)
    STEP(b == 3, "bounce: queued\n",
         if
         :: b_ours && b_of == OF_FAILURE -> s_r = BOUNCED; s_dirty = 1
         :: b_ours && b_of == OF_SUCCESS -> s_l = (s_l == SUCCEEDED -> DONE : s_l); s_r = (s_r == SUCCEEDED -> DONE : s_r); s_dirty = 1
         :: b_ours && b_of == OF_DELAY -> s_w = 1; s_dirty = 1
         :: else
         fi; b = 0; b_file = 0; b_of = 0; b_ours = 0)
    STEP(b && !calm, "bounce: KILLED, or refused\n",
         if :: b_of == OF_DELAY && b > 1 -> unlogged = 1 :: else fi;
         if :: b_ours && b_of != OF_DELAY -> s_owed = 1 :: else fi; b = 0; b_file = 0; b_of = 0; b_ours = 0)

    /* ---- queue/move.c: pneu-hold and pneu-release ask for the lock ---- */
#define FREE(file) ((OPERATOR || calm) && !o && file && !HELD(file) && !SEND_HOLDS(file))
    /* A writer looks in wait/ and then in hold/: what is released between the two, he does not find. */
#define SLIPS if :: w[0] == 11 || w[1] == 11 -> TOO_LATE :: else fi
    /* finish_move(): a move that was cut short. pneu-send's is brought to its end; else the name that is meant stays. */
    STEP(!calm && FREE(m_new) && m_new == m_wait, "operator: fsync of wait/, removes the name in new/\n", SYNC_NAMES(wait); m_new = 0)
    STEP(!calm && FREE(m_new) && m_new == m_hold, "operator: fsync of new/, removes the name in hold/\n", SYNC_NAMES(new); SLIPS; m_hold = 0)
    STEP(!calm && FREE(m_wait) && m_wait == m_hold, "operator: fsync of wait/, removes the name in hold/\n", SYNC_NAMES(wait); SLIPS; m_hold = 0)
    STEP(FREE(m_hold) && m_hold == m_wait, "operator: fsync of hold/, removes the name in wait/\n", SYNC_NAMES(hold); m_wait = 0)
    STEP(FREE(m_hold) && m_hold == m_new, "operator: fsync of hold/, removes the name in new/\n", SYNC_NAMES(hold); m_new = 0)
    /* moves_finish() */
    STEP(!calm && FREE(m_new) && NAMES(m_new) == 1 && !m_hold, "hold: links it from new/ into hold/\n",
         m_hold = m_new; o_file = m_new; o = HOLD_NEW)
    STEP(!calm && FREE(m_wait) && NAMES(m_wait) == 1 && !m_hold, "hold: links it from wait/ into hold/\n",
         m_hold = m_wait; o_file = m_wait; o = HOLD_WAIT)
    STEP(FREE(m_hold) && NAMES(m_hold) == 1 && !m_wait, "release: links it from hold/ into wait/\n",
         if :: m_hold == aside -> TOO_LATE :: else fi; m_wait = m_hold; o_file = m_hold; o = RELEASE)
    /* move_fail() */
    STEP(RETURNS && !calm && FREE(m_wait) && NAMES(m_wait) == 1 && m_r[m_wait] == TODO, "return: marks the remote recipient as failed\n",
         m_r[m_wait] = FAILED; o_file = m_wait; o = GIVE_UP)
    STEP(o == GIVE_UP, "return: fdatasync of the file\n", d_l[o_file] = m_l[o_file]; d_r[o_file] = m_r[o_file];
         d_w[o_file] = m_w[o_file]; o = 0; o_file = 0)
    STEP(o && o != GIVE_UP, "operator: fsync of the new folder, removes the old name\n", SYNC_TARGET;
         if
         :: o == HOLD_NEW -> m_new = (m_new == o_file -> 0 : m_new)
         :: o == HOLD_WAIT -> m_wait = (m_wait == o_file -> 0 : m_wait)
         :: o == RELEASE -> SLIPS; m_hold = (m_hold == o_file -> 0 : m_hold)
         fi;
         o = 0; o_file = 0)
    STEP(o && !calm, "operator: KILLED\n", o = 0; o_file = 0)
#if MOVES
    /* mv -n by somebody who asks for no lock, so often */
    STEP(!calm && moves < MOVES && m_new && !m_hold, "mv new/ hold/, unasked\n", move_unasked(m_new, m_hold))
    STEP(!calm && moves < MOVES && m_wait && !m_hold, "mv wait/ hold/, unasked\n", move_unasked(m_wait, m_hold))
    STEP(!calm && moves < MOVES && m_wait && !m_new, "mv wait/ new/, unasked\n", move_unasked(m_wait, m_new))
#endif

    STEP(!calm, "THE POWER FAILS\n", power_fails())
    :: d_step { failing -> printf("the power is off\n"); power_cut(); ALIKE }
    STEP(!calm, "from now on all is calm\n", calm = 1)
    :: else -> over = 1; break
    od;
    assert(calm && !s && !m_new && !m_wait && !m_hold); /* stuck */
    assert(!heard || NO_LOCAL || (m_box && m_boxfile && LOCAL_TOLD(m_confirm)));
    assert(!heard || (remote && REMOTE_TOLD(m_confirm)) || m_report);
    assert(TRUE_MARKS(1) && TRUE_MARKS(FILES))
}

#ifdef ENDLESS
/* Goes something round for ever when all is calm? */
never {
    do
    :: true
    :: calm -> break
    od;
accept:
    do
    :: !over
    od
}
#endif
