"""Verifies a webhook (Standard Webhooks, signature v1) with Python's standard library alone.

Usage: WEBHOOK_SECRET=whsec_… verify_webhook.py ID TIMESTAMP SIGNATURES < BODY

The arguments are the headers webhook-id, webhook-timestamp and webhook-signature; the body is the bytes as they came, before any
JSON parser. It ends with status 0 when the webhook is genuine, or 1 and the reason.
"""

import base64
import hashlib
import hmac
import os
import sys
import time

TOLERANCE = 5 * 60  # seconds; an older one may be sent by somebody who recorded it


def fault_of(secret, message_id, timestamp, signatures, body, now):
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE:
        return "The timestamp is too far from now."
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # Two for a day after a new secret: one of them is enough.
    if not any(hmac.compare_digest(expected, one.encode()) for one in signatures.split(" ")):
        return "No signature fits."
    return None


if __name__ == "__main__":
    sys.exit(fault_of(os.environ["WEBHOOK_SECRET"], *sys.argv[1:4], sys.stdin.buffer.read(), time.time()))
