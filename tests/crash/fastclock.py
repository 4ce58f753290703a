"""The clock of tests/tool/fastclock.h: made by its test, which may set it."""

import mmap
import struct
import time

BEGIN = 1000


class FastClock:
    def __init__(self, path, rate, wall):
        """rate: seconds of it in a second; wall: what it says in the beginning, since 1970."""
        self.rate, self.since, self.wall = rate, int(time.clock_gettime(time.CLOCK_BOOTTIME)), wall - BEGIN
        with open(path, "wb") as f:
            f.write(struct.pack("=qqq", rate, self.since, self.wall))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 24)

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
