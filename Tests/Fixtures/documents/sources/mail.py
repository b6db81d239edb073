"""Writes a message as a mail program exports it. Run by make.sh: TEXT ATTACHMENT TARGET."""

import email.policy
import sys
from email.message import EmailMessage
from pathlib import Path

text, attachment, target = (Path(argument) for argument in sys.argv[1:])
message = EmailMessage(policy=email.policy.SMTP)
message["From"] = "Città Verde <segreteria@valle-sole.example>"
message["To"] = "Soci <soci@valle-sole.example>"
message["Date"] = "Mon, 04 Mar 2024 10:30:00 +0100"
message["Subject"] = "Assemblea straordinaria: novità sulla tariffa, e perché è più bassa"
message.set_content(text.read_text(), charset="iso-8859-15", cte="quoted-printable")
message.add_alternative(
    f"<html><body><p>{text.read_text()}</p></body></html>", subtype="html", cte="base64"
)
message.add_attachment(
    attachment.read_bytes(), maintype="text", subtype="csv", filename="letture più recenti.csv"
)
message.set_boundary("=== letter ===")
for number, part in enumerate(message.walk()):
    if part.is_multipart() and number:
        part.set_boundary("=== versions ===")
target.write_bytes(bytes(message))
