"""Mail while the disk fills up: full.py PORT RECIPIENT COUNT FILL ACCEPTED

Sends COUNT messages over four sessions. After a quarter of them the file FILL takes all room there is, and after three quarters
it is removed. Appends the subjects of those that were answered 250 to ACCEPTED; prints how many were accepted, refused with 4xx,
and answered otherwise (a 5xx, or no answer at all)."""

import itertools
import os
import smtplib
import sys
import threading

port, recipient, count, fill, path = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
numbers = itertools.count()
lock = threading.Lock()
accepted = open(path, "w")
told = {"accepted": 0, "refused": 0, "other": 0}


def take_all_room():
    with open(fill, "wb", buffering=0) as f:
        for size in (1 << 20, 4096, 512):
            try:
                while f.write(b"x" * size) == size:
                    pass
            except OSError:
                pass


def code(answer):
    if isinstance(answer, smtplib.SMTPRecipientsRefused):
        return next(iter(answer.recipients.values()))[0]
    return getattr(answer, "smtp_code", 0)


def send(n):
    try:
        with smtplib.SMTP("127.0.0.1", port, "full.test", timeout=60) as smtp:
            smtp.sendmail("full@far.test", [recipient], "Subject: n%d\r\n\r\n%s\r\n" % (n, ("x" * 70 + "\r\n") * 60))
        return "accepted"
    except (OSError, smtplib.SMTPException) as answer:
        if 400 <= code(answer) < 500:
            return "refused"
        print("n%d: %r" % (n, answer))
        return "other"


def session():
    while True:
        with lock:
            n = next(numbers)
            if n == count // 4:
                take_all_room()
            if n == count * 3 // 4:
                os.unlink(fill)
        if n >= count:
            return
        result = send(n)
        with lock:
            told[result] += 1
            if result == "accepted":
                accepted.write("n%d\n" % n)
                accepted.flush()


threads = [threading.Thread(target=session) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(told["accepted"], told["refused"], told["other"])
