"""A caseworker's day over the inbox API, with Python's standard library alone: a starting point for a client of your own.

Usage: caseworkers_day.py URL        such as http://127.0.0.1:8080

Its tokens are in the environment, because everyone on a machine sees the arguments of a program:

CASEWORKER_TOKEN  with the roles IndkomneDokumenter.Læs, .SeAlle, .Tildel, .Journaliser and .Afvis
COLLEAGUE_TOKEN   the same of another user of the same municipality
CORE_TOKEN        of the case system, with the role Indbakke.System

The day needs five messages in the inbox that nobody has yet, one of them with the word "børnehave", and changes all of them.
The README has the commands that make tokens and messages for it.
It ends with status 0, or 1 and the reason.
"""

import collections
import http.client
import io
import json
import os
import select
import sys
import urllib.parse
import uuid
import xml.etree.ElementTree as ElementTree
import zipfile

MESSAGES = "/api/v1/incoming-documents"
ATTEMPTS = 3
ANSWER_WITHIN = 30  # seconds


class Refused(Exception):
    """The inbox refused a call and changed nothing. The code is stable (docs/errors.md), the text is not."""

    def __init__(self, status, problem):
        super().__init__(f"{problem['title']} {problem['detail']} ({status} {problem['code']})")
        self.status = status
        self.code = problem["code"]


class Inbox:
    """The calls of one user."""

    def __init__(self, url, token):
        self.url = urllib.parse.urlsplit(url)
        self.token = token
        self.lose_next_answer = False

    # What is read

    def list(self, **filters):
        """All messages of a filter, page by page. Filters in a URL must not be personal."""
        cursor = {}
        while cursor is not None:
            page = self.get(f"{MESSAGES}?{urllib.parse.urlencode({**filters, **cursor})}")
            yield from page["items"]
            cursor = {"cursor": page["nextCursor"]} if page["nextCursor"] else None

    def search(self, **filters):
        """The first page. The filters are in the body, so that no log of URLs has them."""
        return self.call("POST", f"{MESSAGES}/search", filters)[0]["items"]

    def ids(self, **filters):
        """The ids and versions of all messages of a filter."""
        items, cursor = [], {}
        while cursor is not None:
            page = self.call("POST", f"{MESSAGES}/ids", {**filters, **cursor})[0]
            items += page["items"]
            cursor = {"cursor": page["nextCursor"]} if page["nextCursor"] else None
        return items

    def get(self, path):
        return self.call("GET", path)[0]

    def read(self, message):
        return self.get(f"{MESSAGES}/{message['id']}")

    def text(self, message):
        return self.get(f"{MESSAGES}/{message['id']}/text")

    def summary(self):
        return self.get(f"{MESSAGES}/summary")

    def export(self, **filters):
        """An Excel file, as bytes."""
        return self.call("POST", f"{MESSAGES}/export", filters)[0]

    # What is changed

    def assign(self, message, kind, user_or_team):
        return self.change("PUT", message, "assignment", {"assignee": {"kind": kind, "id": user_or_team}})

    def journalize(self, message, case_ids):
        return self.change("POST", message, "journalization", {"caseIds": case_ids})

    def reject(self, message, reason, explanation):
        return self.change("POST", message, "rejection", {"reason": reason, "explanation": explanation})

    def tell_outcome(self, message, **outcome):
        return self.change("PUT", message, "rejection/outcome", outcome)

    def reopen(self, message):
        return self.change("DELETE", message, "rejection")

    def change(self, method, message, what, body=None):
        """Changes a message as it was read: when somebody was first, the answer is 412 version-changed."""
        headers = {"If-Match": f'"{message["version"]}"'}
        return self.call_once(method, f"{MESSAGES}/{message['id']}/{what}", body, headers)

    def bulk(self, action, items):
        """The same change of up to 500 messages. Each is done or has a problem of its own."""
        answer, _ = self.call_once("POST", f"{MESSAGES}/bulk", {"action": action, "items": items})
        return answer["items"]

    def register_case(self, case_id, status, caseworker):
        self.call("PUT", f"/api/v1/cases/{urllib.parse.quote(case_id, safe='')}", {"status": status, "caseworker": caseworker})

    # How it is sent

    def call_once(self, method, path, body=None, headers=None):
        """Makes a change that takes effect once, however often it has to be sent: its repeats carry the same key."""
        headers = {**(headers or {}), "Idempotency-Key": str(uuid.uuid4())}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.call(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                if attempt == ATTEMPTS:
                    raise
                say(f"The answer was lost ({error}). Was it done? The same call with the same key tells.")

    def call(self, method, path, body=None, headers=None):
        """Returns the answer (JSON, or bytes) and its headers. Raises Refused, or OSError when no answer came."""
        of_scheme = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        connection = of_scheme(self.url.hostname, self.url.port, timeout=ANSWER_WITHIN)
        try:
            sent = None if body is None else json.dumps(body)
            type_of_sent = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, sent, {"Authorization": f"Bearer {self.token}", **type_of_sent, **(headers or {})})
            if self.lose_next_answer:
                self.lose_next_answer = False
                select.select([connection.sock], [], [], ANSWER_WITHIN)  # it is here, and nobody reads it
                raise ConnectionResetError("the line is cut")
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = "json" in response.headers.get("Content-Type", "")
        answer = json.loads(content) if is_json else content
        if response.status >= 400:
            raise Refused(response.status, answer)
        return answer, response.headers


def say(sentence):
    print(sentence, flush=True)


def name_of(message):
    return f"“{message['subject']}” from {message['sender']['name']}"


MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_excel(content):
    """The rows of the first sheet, as lists of texts (ECMA-376, part 1: a text is in its cell, or shared)."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            shared = [text_in(item) for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    return [[value_of(cell, shared) for cell in row] for row in sheet.iter(f"{MAIN}row")]


def value_of(cell, shared):
    value = cell.findtext(f"{MAIN}v") or ""
    if cell.get("t") == "s":
        return shared[int(value)]
    return text_in(cell) if cell.get("t") == "inlineStr" else value


def text_in(element):
    return "".join(text.text or "" for text in element.iter(f"{MAIN}t"))


def count_by(groups, name):
    return ", ".join(f"{group['count']} {group[name]}" for group in groups if group["count"]) or "none"


def day(url, caseworker_token, colleague_token, core_token):
    caseworker, colleague, core = (Inbox(url, token) for token in (caseworker_token, colleague_token, core_token))

    say("Morning. What is there?")
    summary = caseworker.summary()
    say(f"{summary['total']} messages wait: {count_by(summary['kind'], 'kind')}; {summary['late']} of them came late.")
    waiting = list(caseworker.list(view="nobodys", limit=50))
    for message in waiting:
        say(f"- {name_of(message)}, {message['ageHours']} hours old. I may: {', '.join(message['allowed'])}.")
    if len(waiting) < 5:
        sys.exit("The day needs five messages that nobody has.")

    say("I look for what the day nursery wrote, and read it without opening a file.")
    found = caseworker.search(q="børnehave")
    if not found:
        sys.exit("The day needs a message with the word børnehave.")
    say(f"Found {len(found)}: {name_of(found[0])}. It says: “{caseworker.text(found[0])['text']}”")

    say("I distribute what is nobody's to the team, all at once.")
    items = [{**item, "assignee": {"kind": "team", "id": "team-1"}} for item in caseworker.ids(view="nobodys")]
    outcomes = caseworker.bulk("assign", items)
    done = [outcome["done"] for outcome in outcomes if outcome["done"]]
    say(f"{len(done)} of {len(items)} are assigned to team-1.")
    for outcome in outcomes:
        if outcome["problem"]:
            say(f"- {outcome['id']} is not: {outcome['problem']['detail']}")
    first, second, third, fourth = done[:4]

    say("A colleague and I take the same message at the same time.")
    colleague.assign(first, "user", "colleague")
    say("The colleague was first.")
    try:
        caseworker.assign(first, "user", "caseworker")
        sys.exit("Both were first.")
    except Refused as refusal:
        if refusal.code != "version-changed":
            raise
        say(f"I am refused: {refusal}")
    now = caseworker.read(first)
    say(f"I read it again: it is {now['assignee']['id']}'s, in version {now['version']}. Fine; I go on with the next.")

    say("I file two messages on cases. The core registers its cases first.")
    try:
        caseworker.journalize(second, ["DAY-1"])
    except Refused as refusal:
        say(f"Too early: {refusal}")
    core.register_case("DAY-1", "open", "caseworker")
    core.register_case("DAY-2", "open", "caseworker")
    filed, _ = caseworker.journalize(second, ["DAY-1", "DAY-2"])
    say(f"{name_of(caseworker.read(second))} is {filed['status']} on DAY-1 and DAY-2.")

    say("Now the line is bad: the answer to the second one gets lost.")
    caseworker.lose_next_answer = True
    filed, headers = caseworker.journalize(third, ["DAY-1"])
    say(f"It was done: {filed['status']}, version {filed['version']}, Idempotency-Replayed: {headers['Idempotency-Replayed']}.")
    journalized = [step for step in caseworker.read(third)["history"] if step["action"] == "journalized"]
    say(f"Its history has it {len(journalized)} time.")

    say("The next one is not for us.")
    rejected, _ = caseworker.reject(fourth, "wrong-department", "Brevet handler om vejarbejde.")
    rejected, _ = caseworker.tell_outcome(rejected, forwardedTo={"name": "Teknik og Miljø"}, senderInformed=True)
    say(f"{name_of(caseworker.read(fourth))} is {rejected['status']}.")
    try:
        caseworker.journalize(rejected, ["DAY-1"])
    except Refused as refusal:
        say(f"It cannot be filed now: {refusal}")
    reopened, _ = caseworker.reopen(rejected)
    say(f"It was for us after all: it is reopened, and {reopened['status']} again.")

    say("I take the list home as an Excel file.")
    headings, *rows = read_excel(caseworker.export(status=["pending", "journalized"], sort="-receivedAt"))
    say(f"It has {len(rows)} rows with the columns {', '.join(headings)}.")

    say("Evening. What is left?")
    summary = caseworker.summary()
    teams = collections.Counter({group["id"]: group["count"] for group in summary["team"]})
    say(f"{summary['total']} messages wait, {teams['team-1']} of them for team-1.")


if __name__ == "__main__":
    tokens = [os.environ.get(f"{who}_TOKEN") for who in ("CASEWORKER", "COLLEAGUE", "CORE")]
    if len(sys.argv) != 2 or None in tokens:
        sys.exit(__doc__)
    try:
        day(sys.argv[1], *tokens)
    except Refused as refusal:
        sys.exit(f"Refused: {refusal}")
