"""tlsmail.py PORT NAME CAFILE FROM TO: sends a message by STARTTLS to 127.0.0.1, the certificate checked for that name."""

import smtplib
import ssl
import sys

port, name, ca, sender, to = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
smtp = smtplib.SMTP("127.0.0.1", int(port), timeout=60)
smtp._host = name  # what starttls() verifies
smtp.ehlo()
assert smtp.has_extn("starttls")
smtp.starttls(context=context)
assert smtp.ehlo_resp is None, "the client remembers nothing either"
smtp.ehlo()
assert not smtp.has_extn("starttls")
smtp.sendmail(sender, [to], "Subject: hello\r\n\r\nhello\r\n")
smtp.quit()
