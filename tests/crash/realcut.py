#!/usr/bin/env python3
"""realcut - the plug is pulled on a real file system while one of pneu's programs works (root, loop devices).

  realcut.py --fs ext4|xfs|btrfs [--cuts N] [--show N] SCENARIO...

An instance lies on a file system in an image (disk.py), made once. For each cut a copy of it is mounted, the daemons that the
scenario names are started, the program it is about under strace, and the power goes off at its n-th call of those that
change or sync files or that tell somebody something: each of them in turn, in each of the kinds that disk.py knows; then at moments
taken at random, without strace, until there are N cuts. Then it is mounted again: what lies in the queue and the mailboxes must be
whole, what was told and what is marked must be true; and the daemons are started on it, pneu-send among them, and come to
their end: nobody is forgotten, nothing is there twice.

Scenarios: commit (pneu-queue through pneu-queued), maildir, mbox (pneu-local), send (pneu-send's marks, with failures),
bounce (pneu-bounce's report), and the operator's hold, release, remove, return, redirect.
Needs PNEU_BIN's programs in PATH, PNEU_TESTS.
"""
import argparse, collections, glob, os, random, re, signal, socket, subprocess, sys, time

import disk as device

CALLS = 'write,writev,pwrite64,sync_file_range,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,utimensat,ftruncate,sendto,sendmsg'
HEADER = re.compile(rb'pneu1 message=(\d{20}) envelope=(\d{10}) recipients=(\d{10}) crc=[0-9a-f]{8},[0-9a-f]{8} header=[0-9a-f]{8} *\n')
NAME = re.compile(r'[0-9a-f]{28}$|t[0-9a-f]{27}$')
TOOLS = os.environ['PNEU_TESTS'] + '/tool/'
SMALL = b'From: sender@pneu.test\nSubject: small\n\nbody\n'
LARGE = b'From: sender@pneu.test\nSubject: large\n\n' + b''.join(b'%d\n' % n for n in range(30000))
OLD = b'From s@old.test Thu Jan  1 00:00:00 1970\nSubject: old\n\nbody\n\n'
RULES = 'bad@one.test D 5.1.1 0 no such user\nlater@two.test Z 4.0.0 0 not now\n'


# ---- the instance ----

class Instance:
    def __init__(self, top, outside):
        self.home, self.outside = top + '/i', outside
        os.environ['PNEU_HOME'] = self.home

    def make(self):
        self.tool('pneu-instance', '-q', self.home)
        for setting in ('me mx.pneu.test', 'retryfirst 1', 'retrymax 1'):
            self.tool('pneu-control', 'set', *setting.split())
        for who in ('you', 'me', 'sender', 'box'):
            self.tool('pneu-mailbox', 'add', who + '@pneu.test')
        box = self.mail('box')
        owner = os.stat(box)
        for name, text in (('.qmail', b'./mbox\n'), ('mbox', OLD)):
            open(f'{box}/{name}', 'wb').write(text)
            os.chown(f'{box}/{name}', owner.st_uid, owner.st_gid)
            os.chmod(f'{box}/{name}', 0o600)

    @staticmethod
    def tool(*command, **options):
        return device.run(*command, **options)

    def mail(self, who):
        return f'{self.home}/mail/pneu.test/{who}'

    def put(self, message, status, where, *recipients):
        """A message as the queue has it; its ID."""
        ident = self.tool(TOOLS + 'mkqueue', *(['-w'] if where == 'wait' else []), '-s', status, 'sender@pneu.test', *recipients,
                          input=message).strip()
        path = next(iter(glob.glob(f'{self.home}/queue/new/{ident}') + glob.glob(f'{self.home}/queue/wait/*/{ident}')))
        owner = os.stat(self.home + '/queue/new')
        os.chown(path, owner.st_uid, owner.st_gid)
        return ident

    def start(self, names, trace=(), traced=None):
        """Daemons, without s6-supervise: who is killed here stays so."""
        bind = lambda path: ['s6-ipcserver-socketbinder', '-a', '0666', self.home + path]
        commands = {
            'queued': bind('/run/intake') + [*(trace if traced == 'queued' else ()), 's6-setuidgid', 'pneuq', 'pneu-queued'],
            'local': bind('/run/local') + [*(trace if traced == 'local' else ()), 'pneu-spawn', '-L'],
            'remote': [TOOLS + 'fakespawn', self.home + '/run/remote', self.outside + '/rules', self.outside + '/jobs'],
            'send': [*(trace if traced == 'send' else ()), 's6-setuidgid', 'pneuq', 'pneu-send'],
        }
        self.log, process = open(self.outside + '/log', 'ab'), None
        for name in names:
            path = self.home + {'queued': '/run/intake', 'local': '/run/local', 'remote': '/run/remote'}.get(name, '')
            if name != 'send' and os.path.exists(path):
                os.unlink(path)
            process = self.spawn(commands[name])
            if name != 'send':
                self.answers(path, process)
        return process

    def spawn(self, command, **options):
        return subprocess.Popen(command, cwd=self.home, stdout=self.log, stderr=self.log, **options)

    @staticmethod
    def answers(path, process):
        end = time.monotonic() + 60
        while True:
            try:
                os.chmod(path, 0o666)
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(path)
                return
            except OSError:
                if time.monotonic() > end:
                    raise SystemExit('nobody listens at ' + path)
                if process.poll() is not None:  # killed before it could
                    return
                time.sleep(0.002)

    # ---- what lies there ----

    def names(self, *folders):
        return [path for folder in folders for path in glob.glob(f'{self.home}/queue/{folder}/*') if NAME.match(os.path.basename(path))]

    def empty(self):
        return not self.names('new', 'wait/*')

    def entries(self):
        """(id, folder, message, [(recipient, status)...]) of each file of the queue, None instead of the last two if it is torn."""
        return [(os.path.basename(p), p.split('/queue/')[1].split('/')[0], *parse(open(p, 'rb').read())) for p in
                self.names('new', 'wait/*', 'hold', 'bad')]

    def copies(self, who):
        return [open(p, 'rb').read() for f in ('new', 'cur') for p in glob.glob(f'{self.mail(who)}/Maildir/{f}/*')]

    def mbox(self):
        return re.split(rb'(?:\A|(?<=\n\n))(?=From )', open(self.mail('box') + '/mbox', 'rb').read())[1:]

    def jobs(self):
        try:
            return [line.split()[5] for line in open(self.outside + '/jobs')]
        except FileNotFoundError:
            return []


def parse(data):
    m = HEADER.match(data[:128])
    if not m or m.end() != 128:
        return None, None
    message, envelope, recipients = (int(x) for x in m.groups())
    at = 128 + message + envelope
    to = [x.decode() for x in re.findall(rb':to=([^,]*),', data[128 + message:at])]
    status = data[at:at + recipients].decode('latin-1')
    if len(to) != recipients or len(status) != recipients:
        return None, None
    return data[128:128 + message], list(zip(to, (c if c in 'DSFB' else 'T' for c in status)))


def is_report(data):
    return b'\nFinal-Recipient: rfc822; ' in data and data.endswith(b'--\n')


# ---- what is tried ----

class Scenario:
    traced = ['send']
    daemons = ['queued', 'remote', 'local', 'send']
    message = SMALL

    def __init__(self, instance):
        self.i = instance

    def prepare(self):
        """On the disk, once."""

    def begin(self, trace, traced):
        self.i.start(self.daemons, trace, traced)
        self.client = None

    def done(self):
        return self.i.empty()

    def told(self):
        """After the cut: the client came to a good end before."""
        return bool(self.client) and self.client.returncode == 0

    def judge(self):
        """What lies there after the cut: a word, or a complaint that begins with BAD."""

    def expect(self):
        """And after the daemons came to their end."""

    # What all have in common.

    def look(self):
        found = self.i.entries()
        for ident, folder, message, _ in found:
            if message is None or folder == 'bad' or message != self.message and not is_report(message):
                return f'BAD torn in {folder}'
        return found and None

    def entry(self, ident):
        return [e for e in self.i.entries() if e[0] == ident]

    def unkept(self, *recipients):
        """pneu-local's word is as good as a mark: what pneu-send heard of it is in its log, which no cut reaches."""
        for spans in re.findall(r' class=K .* to=([0-9,-]+) ', open(self.i.outside + '/log', errors='replace').read()):
            for first, last in (s.split('-') if '-' in s else (s, s) for s in spans.split(',')):
                for to in recipients[int(first):int(last) + 1]:
                    if to.endswith('@pneu.test') and not self.whole(to.partition('@')[0]):
                        return f'BAD {to} was told to be delivered'
        return None

    def untrue(self, recipients):
        jobs = self.i.jobs()
        for to, status in recipients:
            who, _, domain = to.partition('@')
            if status == 'D' and not (self.whole(who) if domain == 'pneu.test' else to in jobs and to not in ('bad@one.test', 'later@two.test')):
                return f'BAD {to} is marked {status}'
            if status in 'FB' and to not in ('bad@one.test', *self.failed):
                return f'BAD {to} is marked {status}'
            if status == 'B' and not self.reports() and not [e for e in self.i.entries() if is_report(e[2])]:
                return f'BAD {to} is marked B, and there is no report'
        return None

    failed = ()

    def whole(self, who):
        return sum(c.startswith(b'Return-Path: ') and c.endswith(self.message) for c in self.i.copies(who))

    def reports(self):
        return sum(is_report(c) for c in self.i.copies('sender'))

    def torn(self):
        return [1 for who in ('you', 'me', 'sender') for c in self.i.copies(who) if not c.endswith(self.message) and not is_report(c)]


class Commit(Scenario):
    """pneu-queue and pneu-queued: whoever is told yes, the message is there."""
    daemons, traced = ['queued'], ['queued', 'client']

    def begin(self, trace, traced):
        self.message = LARGE if trace else random.choice((SMALL, LARGE))
        super().begin(trace, traced)
        with open(self.i.outside + '/envelope', 'wb') as f:
            f.write(b'Fsender@pneu.test\0Tyou@pneu.test\0\0')
        with open(self.i.outside + '/message', 'wb') as f:
            f.write(self.message)
        # Of pneu-queue: message on descriptor 0, envelope on 1.
        with open(self.i.outside + '/message', 'rb') as m, open(self.i.outside + '/envelope', 'rb') as e:
            self.client = subprocess.Popen([*(trace if traced == 'client' else ()), 'pneu-queue'], stdin=m, stdout=e, stderr=self.i.log)

    def done(self):
        return self.client.poll() is not None

    def judge(self):
        found = [e for e in self.i.entries()]
        self.there = len(found)
        for e in found:
            if e[2] is None or not e[2].endswith(self.message) or e[3] != [('you@pneu.test', 'T')]:
                return 'BAD torn'
        if self.told() and self.there != 1 or self.there > 1:
            return f'BAD there {self.there} times'
        return 'there' if self.there else 'absent'

    def expect(self):
        return self.whole('you') == self.there


class Maildir(Scenario):
    """Two mailboxes."""
    daemons, traced = ['local', 'send'], ['local']
    message = LARGE
    recipients = ('you@pneu.test', 'me@pneu.test')

    def prepare(self):
        self.ident = self.i.put(self.message, 'T' * len(self.recipients), 'new', *self.recipients)

    def judge(self):
        found = self.entry(self.ident)
        wrong = self.look() or self.torn() and 'BAD torn in a Maildir' or self.unkept(*self.recipients)
        for e in found:
            wrong = wrong or self.untrue(e[3])
        if wrong:
            return wrong
        if not found and not all(self.whole(r.partition('@')[0]) == 1 for r in self.recipients):
            return 'BAD lost'
        return 'there' if found else 'gone'

    def expect(self):
        return all(self.whole(r.partition('@')[0]) == 1 for r in self.recipients)


class Mbox(Scenario):
    """A message may be there again, and half of one before; whoever was told yes finds his whole, and so does who had mail before."""
    daemons, traced = ['local', 'send'], ['local']
    message = LARGE

    def prepare(self):
        self.ident = self.i.put(self.message, 'T', 'new', 'box@pneu.test')

    def whole(self, who):
        whole = re.compile(rb'From [^\n]*\nReturn-Path: [^\n]*\nDelivered-To: [^\n]*\n' + re.escape(self.message) + rb'\n')
        return sum(bool(whole.fullmatch(c)) for c in self.i.mbox())

    def kept(self):
        return self.i.mbox()[:1] == [OLD]

    def judge(self):
        wrong = self.look() or self.unkept('box@pneu.test')
        found = self.entry(self.ident)
        for e in found:
            wrong = wrong or self.untrue(e[3])
        if not wrong and not self.kept():
            wrong = 'BAD what was there before'
        if not wrong and not found and not self.whole('box'):
            wrong = 'BAD lost'
        return wrong or ('half' if len(self.i.mbox()) - 1 > self.whole('box') else 'there' if found else 'gone')

    def expect(self):
        return self.kept() and self.whole('box') >= 1


class Send(Scenario):
    """One is delivered, one refused for good and reported, one to be tried again."""
    def prepare(self):
        self.ident = self.i.put(self.message, 'TTT', 'new', 'you@pneu.test', 'bad@one.test', 'later@two.test')

    def done(self):
        return not self.i.names('new') and self.reports() and self.whole('you')

    def judge(self):
        wrong = self.look() or self.torn() and 'BAD torn in a Maildir'
        found = self.entry(self.ident)
        if wrong or not found:
            return wrong or 'BAD lost'
        for e in found:
            wrong = wrong or self.untrue(e[3])
        if wrong:
            return wrong
        self.before = dict(found[0][3])
        self.reported = self.reports()
        return ''.join(status for _, status in found[0][3])

    def expect(self):
        reports = self.reports()
        # One that was delivered before its mark was on disk is made again.
        again = self.reported and self.before['bad@one.test'] != 'B'
        return self.whole('you') == 1 and (reports == 1 or again and reports == 2) and \
            ('later@two.test' in self.i.jobs()) == (self.before['later@two.test'] == 'T')


class Bounce(Scenario):
    """The report itself: pneu-bounce, and pneu-queued, which takes it."""
    daemons, traced = ['queued'], ['client', 'queued']

    def prepare(self):
        self.ident = self.i.put(self.message, 'F', 'new', 'bad@one.test')

    failed = ('bad@one.test',)

    def begin(self, trace, traced):
        super().begin(trace, traced)
        with open(f'{self.i.home}/queue/new/{self.ident}', 'rb') as f:
            self.client = self.i.spawn([*(trace if traced == 'client' else ()), 's6-setuidgid', 'pneuq', 'pneu-bounce', self.ident], stdin=f)

    def done(self):
        return self.client.poll() is not None

    def judge(self):
        wrong = self.look()
        if wrong:
            return wrong
        found = [e for e in self.i.entries() if is_report(e[2])]
        if self.told() and len(found) != 1 or len(found) > 1:
            return f'BAD {len(found)} reports'
        return 'there' if found else 'absent'

    def expect(self):
        return self.reports() == 1


class Operator(Scenario):
    """Two messages that wait, and a verb."""
    daemons, traced = [], ['client']
    verb, arguments, place, after = '', [], 'wait', 'TT'

    def prepare(self):
        self.idents = [self.i.put(self.message, 'TT', 'wait', 'joe@one.test', 'ann@two.test') for _ in range(2)]
        if self.verb == 'release':
            self.i.tool('s6-setuidgid', 'pneuq', 'pneu-hold', *self.idents, cwd=self.i.home)

    def begin(self, trace, traced):
        super().begin(trace, traced)
        self.client = self.i.spawn([*trace, 's6-setuidgid', 'pneuq', 'pneu-' + self.verb, *self.arguments, *self.idents])

    def done(self):
        return self.client.poll() is not None

    def judge(self):
        wrong = self.look()
        if wrong:
            return wrong
        self.left = {ident: self.entry(ident) for ident in self.idents}
        for found in self.left.values():
            states = {tuple(e[3]) for e in found}
            if len(found) > 2 or len(states) > 1:
                return 'BAD two messages of one'
            if not found and self.verb != 'remove':
                return 'BAD lost'
            for state in states:
                if ''.join(s for _, s in state) not in ('TT', self.after):
                    return f'BAD state {state}'
            if self.told() and not self.is_done(found):
                return 'BAD told, and not done'
        return '+'.join(sorted({e[1] for found in self.left.values() for e in found})) or 'gone'

    def is_done(self, found):
        return len(found) == 1 and found[0][1] == self.place and ''.join(s for _, s in found[0][3]) == self.after

    def expect(self):
        jobs = self.i.jobs()
        wanted = collections.Counter(to for found in self.left.values() for e in found[:1] for to, status in e[3] if status == 'T')
        failed = sum(status == 'F' for found in self.left.values() for e in found[:1] for _, status in e[3])
        return collections.Counter(jobs) == wanted and self.reports() == failed


class Hold(Operator):
    verb, place = 'hold', 'hold'


class Release(Operator):
    verb = 'release'


class Remove(Operator):
    verb = 'remove'

    def is_done(self, found):
        return not found


class Return(Operator):
    verb, arguments, after = 'return', ['-t', 'joe@one.test'], 'FT'
    failed = ('joe@one.test',)


class Redirect(Operator):
    verb, arguments, after = 'redirect', ['-t', 'joe@one.test', 'new@three.test'], 'DTT'


SCENARIOS = {c.__name__.lower(): c for c in (Commit, Maildir, Mbox, Send, Bounce, Hold, Release, Remove, Return, Redirect)}


# ---- a cut ----

class Cuts:
    def __init__(self, fs, name):
        self.disk = device.Disk(fs)
        self.out = self.disk.work + '/out'
        try:
            self.make(name)
        except BaseException:
            self.disk.remove()
            raise

    def make(self, name):
        os.mkdir(self.out)
        os.chmod(self.out, 0o777)
        self.instance = Instance(self.disk.top, self.out)
        self.instance.make()
        self.scenario = SCENARIOS[name](self.instance)
        self.scenario.prepare()
        self.disk.keep()
        self.trace = self.out + '/trace'

    def begin(self, trace, traced, rules=RULES):
        for name in ('trace', 'jobs', 'log'):
            open(f'{self.out}/{name}', 'w').close()
        open(self.out + '/rules', 'w').write(rules)
        self.scenario.begin(trace, traced)

    def strace(self, *options):
        return ['strace', '-f', '-qq', '-o', self.trace, *options]

    def fired(self):
        return 'killed by SIGKILL' in open(self.trace, errors='replace').read()

    def wait(self, end, condition):
        while time.monotonic() < end and not condition():
            time.sleep(0.002)

    def points(self):
        """(traced program, call, n) of each call that is worth a cut, as a run without one shows them; and how long that took."""
        found, longest = [], 0
        for traced in self.scenario.traced:
            self.disk.fresh()
            begun = time.monotonic()
            self.begin(self.strace('-e', 'trace=' + CALLS), traced)
            self.wait(begun + 60, self.scenario.done)
            if not self.scenario.done():
                raise SystemExit('it does not come to its end: ' + open(self.out + '/log', errors='replace').read()[-500:])
            longest = max(longest, time.monotonic() - begun)
            time.sleep(0.1)
            device.kill_all()
            self.disk.unmount()
            most = collections.Counter()
            for (_, call), n in collections.Counter(re.findall(r'^(\d+) +(\w+)\(', open(self.trace, errors='replace').read(), re.M)).items():
                most[call] = max(most[call], n)
            found += [(traced, call, n + 1) for call, n in sorted(most.items()) for n in range(n)]
        return found, longest

    def cut(self, point, moment, kind):
        """Returns the word for what was found, which begins with BAD if something is wrong."""
        self.disk.fresh()
        if point:
            traced, call, n = point
            self.begin(self.strace('-e', 'trace=' + call, '-e', f'inject={call}:signal=KILL:when={n}'), traced)
            self.wait(time.monotonic() + 20, lambda: self.fired() or self.scenario.done())
        else:
            end = time.monotonic() + moment
            self.begin((), None)
            self.wait(end, lambda: False)
        # The client's end, if it came before the cut.
        if self.scenario.client:
            self.scenario.client.poll()
        self.disk.cut(kind)
        word = self.scenario.judge()
        if not word.startswith('BAD'):
            word = self.settle(word)
        device.kill_all()
        self.disk.unmount()
        return word

    def settle(self, word):
        """The daemons on what is left, until the queue is empty."""
        for name in ('jobs', 'log'):
            open(f'{self.out}/{name}', 'w').close()
        open(self.out + '/rules', 'w').write(RULES.splitlines(True)[0])
        i = self.instance
        held = [os.path.basename(p) for p in i.names('hold')]
        if held:
            i.tool('s6-setuidgid', 'pneuq', 'pneu-release', *held, cwd=i.home)
        for path in i.names('wait/*'):
            os.utime(path, (1, 1))
        send = i.start(['queued', 'remote', 'local', 'send'])
        end = time.monotonic() + 60
        while time.monotonic() < end and not i.empty():
            time.sleep(0.01)
            if time.monotonic() > end - 55:  # what could not be done at once
                send.send_signal(signal.SIGALRM)
                time.sleep(0.2)
        if not i.empty():
            return f'BAD left ({word})'
        if glob.glob(i.home + '/badmail/*'):
            return f'BAD badmail ({word})'
        if self.scenario.torn():
            return f'BAD torn in a Maildir ({word})'
        return word if self.scenario.expect() else f'BAD not as expected ({word})'


def main():
    ap = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    ap.add_argument('--fs', default='ext4', choices=sorted(device.SIZE))
    ap.add_argument('--cuts', type=int, default=100, help='at least; each call has its cut all the same')
    ap.add_argument('--at-most', type=int, default=1 << 30, help='a choice of so many, for a short form')
    ap.add_argument('--show', type=int, default=5)
    ap.add_argument('scenario', nargs='+', choices=sorted(SCENARIOS))
    a = ap.parse_args()
    device.adopt()
    bad = 0
    for name in a.scenario:
        bad += one(a, name)
    sys.exit(1 if bad else 0)


def one(a, name):
    begun, words, bad = time.monotonic(), collections.Counter(), []
    cuts = Cuts(a.fs, name)
    try:
        points, longest = cuts.points()
        kinds = cuts.disk.kinds()
        plan = [(p, 0, kind) for kind in kinds for p in points]
        plan += [(None, random.uniform(0, 1.2 * longest), random.choice(kinds)) for _ in range(a.cuts - len(plan))]
        if len(plan) > a.at_most:
            plan = random.sample(plan, a.at_most)
        for point, moment, kind in plan:
            word = cuts.cut(point, moment, kind)
            words[word] += 1
            if word.startswith('BAD'):
                bad.append(f'{point or "%.3f s" % moment} {kind}: {word}')
                bad += ['    ' + line for line in open(cuts.out + '/log', errors='replace').read().splitlines()[-3:]]
        print(f'{a.fs} {name}: {len(plan)} cuts, {sum(n for w, n in words.items() if w.startswith("BAD"))} bad, {time.monotonic() - begun:.0f} s, '
              f'{len(points)} calls: ' + ', '.join(f'{w}={n}' for w, n in sorted(words.items())), flush=True)
        for line in bad[:4 * a.show]:
            print('  BAD', line, flush=True)
    finally:
        cuts.disk.remove()
    return len(bad)


if __name__ == '__main__':
    main()
