#!/usr/bin/python3
"""Speed of pneu beside Postfix and OpenSMTPD, on the same machine, in turns of the same run.

    ./do bench [-n RUNS] [-p PEERS] [WORK ...]

Works: in (SMTP to Maildir), in20 (connections reused), relay and relay50 (SMTP to smtp-sink), late (to a host whose replies
come 50 ms late), inject and inject8 (pneu-inject or the sendmail command, one after another or 8 at a time), list (one
message to 1,000 recipients of a domain), big (one message of 100 MiB), sessions and tls (sessions without mail), idle
(memory of idle sessions), cost (system calls and processes a message, by strace). All of these without a name.
Each table is followed by what was aimed at. By name only, for they are long: idle10000, backlog (20,000 deferred messages), million (1,000,000 waiting ones). The last two
have bounds, and the bench fails where a median is not within.

As root each run has a fresh ext4 on a loop device, and CPU is what the server's cgroup used; as an ordinary user only
pneu runs, in the temporary folder, without CPU figures. Figures are medians; a ratio above 1 means pneu is better.
"""

import argparse
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from peers import ROOT, OpenSMTPD, Pneu, PneuTcpserver, Postfix, Sink, say, wait_for
from works import WORKS, Inject


def table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print('  '.join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
    print(flush=True)


def measure(work, peers, runs):
    """Runs the peers in turn, so that a slow minute of the machine meets all of them."""
    got, notes = {p: [] for p in peers}, {}
    for run in range(runs):
        for p in peers:
            say(f'{work.name}: run {run + 1} of {runs}, {p.name}')
            try:
                got[p].append(work.once(p))
                notes[p] = work.note
            except (RuntimeError, TimeoutError, subprocess.SubprocessError, OSError) as e:
                say(f'{work.name}: {p.name}: {e}')
    rows = [['', 'rate', '(min..max)', 'CPU s/1000', 'pneu rate x', 'pneu CPU x', '']]
    ours = [statistics.median(x) / work.messages for x in zip(*got.get(Pneu, []))]
    for p in peers:
        if not got[p]:
            rows.append([p.name, 'failed', '', '', '', '', ''])
            continue
        wall, cpu = (statistics.median(x) for x in zip(*got[p]))
        n = work.count(p)
        rates = [n / w for w, _ in got[p]]
        beside = ours and p is not Pneu
        rows.append([p.name, f'{n / wall:.0f}', f'({min(rates):.0f}..{max(rates):.0f})',
                     f'{cpu / n * 1000:.2f}' if ROOT else '',
                     f'{wall / n / ours[0]:.2f}' if beside else '', f'{cpu / n / ours[1]:.2f}' if beside else '', notes[p]])
    print(f'{work.name}: {work.title}; median of {runs}')
    table(rows)
    if ours:
        aims(work, 1 / ours[0], ours[1] * 1000 if ROOT else None, statistics.median(w for w, _ in got[Postfix]) / work.messages if got.get(Postfix) else None)


def aims(work, rate, cpu, postfix):
    """Says what was aimed at, and whether it was reached on this machine, now."""
    for what, number, least, most in (('CPU s/1000', cpu, None, work.cpu_target), ('a second', rate, work.rate_target, None),
                                      ('times Postfix', postfix and rate * postfix, work.times_target, None)):
        if number is not None and (least or most):
            good = number >= least if least else number <= most
            print(f'{work.name}: {number:.2f} {what}, aim: {"at least" if least else "at most"} {least or most:g}: {"reached" if good else "missed"}')
    print(flush=True)


def counted(work, messages):
    """The system calls of a run of pneu with that many messages, by name."""
    sink = Sink()
    dir = pathlib.Path(tempfile.mkdtemp(prefix='pneu-bench.'))
    dir.chmod(0o755)
    strace = ['strace', '-f', '-qq', '-c', '-U', 'calls,name', '-o']
    server, texts = None, []
    try:
        server = Pneu(dir, sink.port, [*strace, str(dir / 'calls')])
        if isinstance(work, Inject):
            server.injector = [*strace, str(dir / 'one'), *server.injector]
        work.load(server, sink, messages)
        wait_for('the queue to empty', lambda: server.queued() == 0)
        if isinstance(work, Inject):
            texts = [(dir / 'one').read_text()] * messages
        server.stop()
        server.process.wait(60)
        texts.append((dir / 'calls').read_text())
    finally:
        if server:
            server.end()
        sink.end()
        shutil.rmtree(dir, ignore_errors=True)
    seen = {}
    for text in texts:
        for calls, name in re.findall(r'^\s*(\d+)\s+(\w+)$', text, re.M):
            seen[name] = seen.get(name, 0) + (int(calls) if name != 'total' else 0)
    return seen


def cost():
    """Two runs, the second with 100 messages more: the difference is theirs."""
    kinds = {'fsync': ('fsync', 'fdatasync'), 'exec': ('execve',), 'fork': ('clone', 'clone3', 'fork', 'vfork'),
             'open': ('open', 'openat'), 'link, rename': ('link', 'linkat', 'rename', 'renameat2'),
             'unlink': ('unlink', 'unlinkat')}
    rows = [['a message', 'all calls', *kinds]]
    for work in (w for w in WORKS if w.name in ('in', 'in20', 'relay', 'inject')):
        say(f'cost: {work.name}')
        few, many = counted(work, 40), counted(work, 140)
        each = {name: (many[name] - few.get(name, 0)) / 100 for name in many}
        rows.append([work.name, f'{sum(each.values()):.0f}',
                     *(f'{sum(each.get(c, 0) for c in names):.2f}' for names in kinds.values())])
    print('cost: what one message costs pneu, all its processes, by strace')
    table(rows)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # so that what was started ends, and what was mounted goes
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-n', '--runs', type=int, default=5)
    parser.add_argument('-p', '--peers', default='tcpserver,postfix,opensmtpd', help='by name, beside pneu; tcpserver is pneu under it')
    parser.add_argument('works', nargs='*')
    args = parser.parse_args()
    peers = [p for p in (Pneu, PneuTcpserver, Postfix, OpenSMTPD) if (p is Pneu or p.name.lower() in args.peers.lower()) and p.here()]
    if not ROOT:
        say('not root: only pneu, in the temporary folder, without CPU figures')
    for work in WORKS:
        if work.name in args.works or (not args.works and not work.long):
            measure(work, peers, args.runs)
    if not args.works or 'cost' in args.works:
        cost()
    missed = [f'{work.name}: missed: {goal}' for work in WORKS for goal in work.missed()]
    print(*missed, sep='\n', end='\n' if missed else '')
    if OpenSMTPD.root:
        shutil.rmtree(OpenSMTPD.root, ignore_errors=True)
    sys.exit(1 if missed else 0)


main()
