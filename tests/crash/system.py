#!/usr/bin/env python3
"""system - the plug is pulled while a whole instance takes and delivers mail (root, loop devices).

  system.py --fs ext4|xfs|btrfs [--cuts N] [--sessions N]

An instance under s6-svscan lies on a file system in an image (disk.py), with a listener, a mailbox and its logs. Clients send,
each message under a name of its own, and note each 250 outside. At a moment taken at random, of the first two seconds, the
power goes off. It is mounted again, the instance is started again and drains its queue; then each message that was answered 250 must be in the
mailbox, whole, none twice, nothing damaged or held. And on with the next cut, on the same file system.
"""
import argparse, collections, glob, os, random, re, socket, subprocess, sys, threading, time

import disk as device

LINE = b'x' * 70 + b'\r\n'
SUBJECT = re.compile(rb'^Subject: (\S+)$', re.M)
SIZES = (3, 3, 3, 3, 30, 700)  # lines of a message


class Client(threading.Thread):
    """One session after another, until it is told to stop; what was answered 250 is in accepted."""

    def __init__(self, port, name):
        super().__init__(daemon=True)
        self.port, self.name_, self.accepted, self.stop, self.count = port, name, [], False, 0

    def run(self):
        while not self.stop:
            try:
                with socket.create_connection(('127.0.0.1', self.port), 30) as s:
                    self.session(s, s.makefile('rb'))
            except (OSError, EOFError):
                time.sleep(0.01)

    @staticmethod
    def ask(s, replies, line, wanted):
        if line:
            s.sendall(line)
        while True:
            reply = replies.readline()
            if not reply or reply[:1] != wanted:
                raise EOFError
            if reply[3:4] != b'-':
                return

    def session(self, s, replies):
        self.ask(s, replies, b'', b'2')
        self.ask(s, replies, b'EHLO system.test\r\n', b'2')
        for _ in range(10):
            if self.stop:
                return
            self.count += 1
            lines = random.choice(SIZES)
            name = f'{self.name_}-{self.count}-{lines}'
            self.ask(s, replies, b'MAIL FROM:<load@far.test>\r\n', b'2')
            self.ask(s, replies, b'RCPT TO:<you@pneu.test>\r\n', b'2')
            self.ask(s, replies, b'DATA\r\n', b'3')
            self.ask(s, replies, b'Subject: %s\r\n\r\n' % name.encode() + LINE * lines + b'end\r\n.\r\n', b'2')
            self.accepted.append(name)


class System:
    def __init__(self, fs):
        self.disk = device.Disk(fs, '320M')
        self.home = self.disk.top + '/i'
        self.box = self.home + '/mail/pneu.test/you/Maildir'
        self.port = int(device.run(os.environ['PNEU_TESTS'] + '/tool/freeport'))
        os.environ['PNEU_HOME'] = self.home
        device.run('pneu-instance', '-q', self.home)
        for words in ('control set me mx.pneu.test', 'control set retryfirst 1', 'control set retrymax 1', 'mailbox add you@pneu.test',
                      f'server add in smtp 127.0.0.1 {self.port}'):
            words = words.split()
            device.run('pneu-' + words[0], *words[1:])
        os.sync()

    def start(self):
        log = open(self.disk.work + '/svscan', 'ab')
        subprocess.Popen(['s6-svscan', self.home + '/service'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def logs(self):
        paths = [self.disk.work + '/svscan'] + sorted(glob.glob(self.home + '/log/*/current'))
        return ''.join(f'\n{p}: ' + open(p, errors='replace').read()[-300:] for p in paths)

    def queued(self):
        return [p for f in ('new', 'wait/*') for p in glob.glob(f'{self.home}/queue/{f}/*')]

    def drain(self):
        end = time.monotonic() + 120
        while self.queued():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def delivered(self):
        """How often each name is in the mailbox; None counts what is not whole."""
        found = collections.Counter()
        for path in glob.glob(self.box + '/new/*'):
            data = open(path, 'rb').read()
            name = SUBJECT.search(data)
            lines = int(name[1].rsplit(b'-', 1)[1]) if name else 0
            found[name[1].decode() if name and data.endswith(b'\n\n' + LINE.replace(b'\r', b'') * lines + b'end\n') else None] += 1
        return found

    def forget(self):
        """What was seen in the mailbox goes, and stays away."""
        for path in glob.glob(self.box + '/new/*'):
            os.unlink(path)
        os.sync()

    def round(self, number, sessions):
        """One cut. Returns how many were accepted, how many of them were delivered only after it, and what is wrong."""
        clients = [Client(self.port, f'n{number}-{n}') for n in range(sessions)]
        for c in clients:
            c.start()
        end = time.monotonic() + 60
        while not any(c.accepted for c in clients):
            if time.monotonic() > end:
                raise SystemExit('no mail is taken: ' + self.logs())
            time.sleep(0.002)
        time.sleep(random.uniform(0, 2))
        self.disk.cut(random.choice([k for k in self.disk.kinds() if k != 'synced']))
        for c in clients:
            c.stop = True
        for c in clients:
            c.join()
        accepted = {name for c in clients for name in c.accepted}
        before = self.delivered()
        self.start()
        wrong = [] if self.drain() else ['not drained: ' + ' '.join(self.queued()[:3])]
        found = self.delivered()
        wrong += [f'lost {n}' for n in sorted(accepted - set(found))] + [f'twice {n}' for n, times in found.items() if n and times > 1]
        wrong += [f'torn, {found[None]}'] if found[None] else []
        wrong += [p for f in ('queue/bad', 'queue/hold', 'badmail') for p in glob.glob(f'{self.home}/{f}/*')]
        self.forget()
        return len(accepted), len(accepted - set(before)), wrong


def main():
    ap = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    ap.add_argument('--fs', default='ext4', choices=sorted(device.SIZE))
    ap.add_argument('--cuts', type=int, default=200)
    ap.add_argument('--sessions', type=int, default=8)
    a = ap.parse_args()
    device.adopt()
    begun, bad, accepted, late = time.monotonic(), [], 0, 0
    system = System(a.fs)
    try:
        system.start()
        for number in range(a.cuts):
            n, after, wrong = system.round(number, a.sessions)
            accepted, late = accepted + n, late + after
            if wrong:
                bad.append(f'cut {number}: ' + ', '.join(wrong[:5]))
        print(f'{a.fs} system: {a.cuts} cuts, {len(bad)} bad, {time.monotonic() - begun:.0f} s, {accepted} messages accepted, '
              f'{late} of them not in the mailbox when the power went', flush=True)
        for line in bad[:10]:
            print('  BAD', line)
    finally:
        system.disk.remove()
    sys.exit(1 if bad else 0)


main()
