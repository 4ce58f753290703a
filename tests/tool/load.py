"""SMTP load that remembers what it was told: load.py PORT RECIPIENT SECONDS SESSIONS ACCEPTED [ALSO]

Sends small messages, each with its own number as subject, over so many sessions at a time, a few messages a connection,
and appends the numbers of those that were answered 250 to the file ACCEPTED. What fails is not tried again: the next message
has another number. Each tenth goes to ALSO as well; its number begins with "also". Ends after that time, or when the file
ACCEPTED.stop appears."""

import os
import smtplib
import sys
import threading
import time

port, recipient, seconds, sessions, path = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
also = sys.argv[6:7]
end = time.monotonic() + seconds
lock = threading.Lock()
accepted = open(path, "w")


def going():
    return time.monotonic() < end and not os.path.exists(path + ".stop")


def session(number):
    count = 0
    while going():
        try:
            with smtplib.SMTP("127.0.0.1", port, "load.test", timeout=30) as smtp:
                for _ in range(5):
                    if not going():
                        break
                    count += 1
                    second = also if count % 10 == 0 else []
                    name = "%s%d-%d" % ("also" if second else "n", number, count)
                    smtp.sendmail("load@far.test", [recipient] + second, "Subject: %s\r\n\r\n%s\r\n" % (name, "x" * 500))
                    with lock:
                        accepted.write(name + "\n")
                        accepted.flush()
        except (OSError, smtplib.SMTPException):
            time.sleep(0.02)


threads = [threading.Thread(target=session, args=(n,)) for n in range(sessions)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
