#!/usr/bin/python3
"""progress.py COMMAND...: what a program tells a terminal on descriptor 2 while it works long.

It is made slow by a reader who takes nothing for a while: the small pipe on its descriptor 1 fills, and it waits longer than it takes
until it shows how far it has come. Prints what came on the terminal, visibly; exits with the program's code."""
import fcntl, os, pty, select, subprocess, sys, threading, time

F_SETPIPE_SZ = 1031
SILENT = 0.5  # more than the fifth of a second in which it says nothing

master, slave = pty.openpty()
reader, writer = os.pipe()
fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=writer, stderr=slave)
os.close(writer)
os.close(slave)
shown = []


def read_terminal():
    try:
        while piece := os.read(master, 4096):
            shown.append(piece)
    except OSError:  # nobody has it any more
        pass


t = threading.Thread(target=read_terminal)
t.start()
select.select([reader], [], [])
time.sleep(SILENT)
while os.read(reader, 65536):
    pass
p.wait()
t.join()
print(ascii(b"".join(shown).decode()))
sys.exit(p.returncode)
