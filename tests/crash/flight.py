#!/usr/bin/env python3
"""flight - the plug is pulled while a hundred deliveries are under way: how many come twice? (root, loop devices)

  flight.py --fs ext4|xfs|btrfs [--rounds N] [--messages N]

An instance lies on a file system in an image (disk.py), its queue full of mail for one mailbox and for one other host, which is
here: each of its replies takes 200 ms in one round, and no time in the next. When as many connections are open as may be, or as many as
there come, the power goes off at a moment taken at random. It is mounted again, the instance is started again and drains its queue.
For each round a line: copies too many in the mailbox, at the other host, connections to it when the power went, as many as there may be,
messages it had then; what is missing, or damaged.
"""
import argparse, asyncio, collections, glob, os, random, re, subprocess, sys, threading, time

import disk as device

PLACES = 100
BODY = b'Subject: flight\n\n' + b'x' * 70 + b'\n'


class Host(threading.Thread):
    """The other host: counts the messages of each recipient, and the connections."""

    def __init__(self):
        super().__init__(daemon=True)
        self.copies, self.open, self.delay, self.port = collections.Counter(), 0, 0, None
        self.start()
        while self.port is None:
            time.sleep(0.01)

    def run(self):
        asyncio.run(self.listen())

    async def listen(self):
        server = await asyncio.start_server(self.serve, '127.0.0.1', 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            await server.serve_forever()

    async def say(self, w, text):
        if self.delay:
            await asyncio.sleep(self.delay)
        w.write(text + b'\r\n')
        await w.drain()

    async def serve(self, r, w):
        self.open += 1
        try:
            await self.session(r, w)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            w.close()

    async def session(self, r, w):
        to = None
        await self.say(w, b'220 flight')
        while line := await r.readline():
            verb = line[:4].upper()
            if verb == b'EHLO':
                await self.say(w, b'250-flight\r\n250 PIPELINING')
            elif verb == b'RCPT':
                to = re.search(rb'<(.*)>', line)[1].decode()
                await self.say(w, b'250 2.1.5 ok')
            elif verb == b'DATA':
                await self.say(w, b'354 go on')
                await r.readuntil(b'\r\n.\r\n')
                self.copies[to] += 1
                await self.say(w, b'250 2.0.0 taken')
            elif verb == b'QUIT':
                await self.say(w, b'221 bye')
                return
            else:
                await self.say(w, b'250 2.0.0 ok')


class Flight:
    def __init__(self, fs, messages):
        self.host, self.messages = Host(), messages
        self.disk = device.Disk(fs, '320M')
        self.home = self.disk.top + '/i'
        self.box = self.home + '/mail/pneu.test/you/Maildir'
        os.environ['PNEU_HOME'] = self.home
        device.run('pneu-instance', '-q', self.home)
        settings = dict(me='mx.pneu.test', retryfirst=1, retrymax=1, concurrencylocal=PLACES, concurrencyremote=PLACES, concurrency=PLACES,
                        concurrencyuser=PLACES, smtproutes=f':[127.0.0.1]:{self.host.port}')
        for name, value in settings.items():
            device.run('pneu-control', 'set', name, str(value))
        device.run('pneu-mailbox', 'add', 'you@pneu.test')
        os.sync()

    def fill(self, number):
        """The round's messages, on the disk. Returns the IDs of the local ones, and the others' recipients."""
        tool, here = os.environ['PNEU_TESTS'] + '/tool/mkqueue', os.stat(self.home + '/queue/new')
        ids = [subprocess.run([tool, '-n', str(self.messages), 's@pneu.test', to], input=BODY, stdout=subprocess.PIPE, check=True).stdout.decode().split()
               for to in ('you@pneu.test', f'r{number}-%d@far.test')]
        for f in glob.glob(self.home + '/queue/new/*'):
            os.chown(f, here.st_uid, here.st_gid)
        os.sync()
        return ids[0]

    def start(self):
        log = open(self.disk.work + '/svscan', 'ab')
        subprocess.Popen(['s6-svscan', self.home + '/service'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def queued(self):
        return [p for f in ('new', 'wait/*') for p in glob.glob(f'{self.home}/queue/{f}/*')]

    def wait(self, condition):
        end = time.monotonic() + 300
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def round(self, number):
        ids = self.fill(number)
        self.host.copies.clear()
        self.host.delay = 0.2 if number % 2 else 0
        # All places are taken at a slow host; at a quick one it is a moment in the first half of the messages.
        part = random.uniform(0.05, 0.5) * self.messages
        self.start()
        began = self.wait(lambda: sum(self.host.copies.values()) >= part and (not self.host.delay or self.host.open >= PLACES))
        time.sleep(random.uniform(0, 1 if self.host.delay else 0.1)) # a slow one's answers come in waves
        flying = self.host.open
        self.disk.cut(random.choice([k for k in self.disk.kinds() if k != 'synced']))
        self.wait(lambda: not self.host.open) # what had left is still read
        taken, self.host.delay = sum(self.host.copies.values()), 0
        self.start()
        wrong = [] if began and self.wait(lambda: not self.queued()) else ['not drained: ' + ' '.join(self.queued()[:3])]
        boxed = collections.Counter(os.path.basename(p)[:28] for f in ('new', 'cur') for p in glob.glob(f'{self.box}/{f}/*'))
        wrong += [f'not in the mailbox: {i}' for i in ids if not boxed[i]]
        wrong += [f'not at the other host: {n}' for n in range(self.messages) if not self.host.copies[f'r{number}-{n}@far.test']]
        wrong += [p for f in ('queue/bad', 'queue/hold', 'badmail') for p in glob.glob(f'{self.home}/{f}/*')]
        twice = sum(n - 1 for n in boxed.values()), sum(n - 1 for n in self.host.copies.values())
        device.kill_all()
        self.wait(lambda: not self.host.open)
        for p in glob.glob(self.box + '/*/*'):
            os.unlink(p)
        os.sync()
        return twice, flying, taken, wrong


def main():
    ap = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    ap.add_argument('--fs', default='ext4', choices=sorted(device.SIZE))
    ap.add_argument('--rounds', type=int, default=20)
    ap.add_argument('--messages', type=int, default=1000)
    a = ap.parse_args()
    device.adopt()
    flight, bad = Flight(a.fs, a.messages), 0
    try:
        for number in range(1, a.rounds + 1):
            (local, remote), flying, taken, wrong = flight.round(number)
            bad += len(wrong)
            host = 'slow' if number % 2 else 'quick'
            print(f'{a.fs} {host} local={local} remote={remote} flying={flying} places={PLACES} taken={taken} wrong={len(wrong)}', *wrong[:3], flush=True)
    finally:
        flight.disk.remove()
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
