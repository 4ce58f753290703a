"""A host far away: an SMTP server whose replies come late, as over a long line, however many commands came at a time.

    latesink.py PORT MILLISECONDS      for each message prints how many there were, how many connections, how many bytes
"""

import asyncio
import sys

PORT, DELAY = int(sys.argv[1]), int(sys.argv[2]) / 1000
EHLO = b'250-far.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n'
messages = connections = size = 0


class Host(asyncio.Protocol):
    def connection_made(self, transport):
        global connections
        connections += 1
        self.transport, self.held, self.data = transport, b'', False
        self.late(b'220 far.test ESMTP\r\n')

    def late(self, reply):
        asyncio.get_running_loop().call_later(DELAY, self.transport.write, reply)

    def obey(self, line):
        word = line[:4].upper()
        if word == b'DATA':
            self.data = True
            return b'354 go on\r\n'
        if word == b'QUIT':
            asyncio.get_running_loop().call_later(DELAY + .01, self.transport.close)
        return EHLO if word == b'EHLO' else b'250 ok\r\n'

    def data_received(self, more):
        global messages, size
        size += len(more)
        self.held += more
        replies = b''
        while True:
            if self.data:
                end = self.held.find(b'\r\n.\r\n')
                if end < 0:
                    break
                self.held, self.data = self.held[end + 5:], False
                messages += 1
                print(messages, connections, size, flush=True)
                replies += b'250 ok\r\n'
            line, found, rest = self.held.partition(b'\r\n')
            if not found:
                break
            self.held = rest
            replies += self.obey(line)
        if replies:
            self.late(replies)


async def main():
    server = await asyncio.get_running_loop().create_server(Host, '127.0.0.1', PORT, backlog=500)
    await server.serve_forever()


asyncio.run(main())
