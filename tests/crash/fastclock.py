"""The clock of tests/tool/fastclock.h: made by its test, which may set it. fastclock.py PATH RATE WALL makes one."""

import mmap
import struct
import sys
import time

BEGIN = 1000


class FastClock:
    def __init__(self, path, rate=0, wall=0):
        """rate: seconds of it in a second; wall: what it says in the beginning, since 1970. Without them, one that is there."""
        if rate:
            with open(path, "wb") as f:
                f.write(struct.pack("=qqq", rate, int(time.clock_gettime(time.CLOCK_BOOTTIME)), wall - BEGIN))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 24)
        self.rate, self.since, self.wall = struct.unpack("=qqq", self.map[:24])

    def elapsed(self):
        """Seconds that really passed, as it counts them."""
        return (time.clock_gettime(time.CLOCK_BOOTTIME) - self.since) * self.rate

    def now(self):
        return int(self.elapsed()) + BEGIN + self.wall

    def jump(self, by):
        self.wall += by
        self.map[16:24] = struct.pack("=q", self.wall)

    def real(self, seconds):
        """How long these seconds of it take."""
        return seconds / self.rate


if __name__ == "__main__":
    FastClock(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
