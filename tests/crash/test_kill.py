"""kill -9 at random moments while documents are indexed and chats run: every acknowledged trace is there exactly once, the index answers."""

import json
import os
import random
import subprocess
import threading
import time
import urllib.error
import urllib.request

ROUNDS = int(os.environ.get("VOLAN_CRASH_ROUNDS", "50"))
BUILD = os.environ["VOLAN_BUILD"]
SEED = int(os.environ.get("VOLAN_CRASH_SEED", str(time.time_ns() % 1_000_000)))

PROJECT = """
name: crash
endpoints:
  - {name: chat, kind: chat, url: "%(mock)s/v1"}
  - {name: vectors, kind: embedding, url: "%(mock)s/v1"}
embedder: vectors
features:
  sources:
    - {name: pages, folder: "%(pages)s", author: Jane Roe}
apps:
  - {name: twin, endpoint: chat}
"""


def start(*command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    assert url.startswith("http://"), f"{command[0]} printed no URL"
    return process, url


class Server:
    def __init__(self, project, data):
        self.process, self.url = start(os.path.join(BUILD, "volan"), "up", "--project", project, "--data", data, "--listen", "127.0.0.1:0", "--print-url")
        with open(os.path.join(data, "admin.key")) as file:
            self.key = file.read().strip()

    def call(self, path, body=None):
        request = urllib.request.Request(self.url + path, headers={"authorization": "Bearer " + self.key, "content-type": "application/json"})
        if body is not None:
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def kill(self):
        self.process.kill()
        self.process.wait()


def chat_until_killed(server, acknowledged):
    while True:
        try:
            answer = server.call("/v1/chat/completions", {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]})
        except (OSError, ValueError):
            return
        acknowledged.append(answer["volan"]["trace_id"])


def listed(server):
    ids, after = [], ""
    while True:
        page = server.call("/api/v1/traces?limit=200" + after)
        ids += [trace["id"] for trace in page["traces"]]
        if "next" not in page:
            return ids
        after = "&after=" + page["next"]


def test_acknowledged_traces_survive_kills_exactly_once(tmp_path):
    print("seed", SEED)
    chance = random.Random(SEED)
    mock, mock_url = start(os.path.join(BUILD, "volan_mock_provider"))
    try:
        pages, data, project = tmp_path / "pages", tmp_path / "data", tmp_path / "project"
        pages.mkdir()
        project.mkdir()
        for number in range(60):
            words = " ".join(f"word{number}x{i} about wheels." for i in range(200))
            (pages / f"page{number}.html").write_text(f"<html><body><h1>Page {number}</h1><p>{words}</p></body></html>")
        (project / "volan.yaml").write_text(PROJECT % {"mock": mock_url, "pages": pages})

        acknowledged = []
        for round_number in range(ROUNDS):
            server = Server(str(project), str(data))
            (pages / f"page{round_number % 60}.html").write_text(f"<html><body><h1>Changed {round_number}</h1><p>wheels turn {round_number}</p></body></html>")
            server.call("/api/v1/features/build", {})
            chats = [threading.Thread(target=chat_until_killed, args=(server, acknowledged)) for _ in range(3)]
            for chat in chats:
                chat.start()
            time.sleep(chance.uniform(0.02, 0.6))  # the random moment itself, not a wait for something
            server.kill()
            for chat in chats:
                chat.join()

        server = Server(str(project), str(data))
        try:
            ids = listed(server)
            assert acknowledged, "no chat was acknowledged"
            assert len(ids) == len(set(ids)), "a trace is listed twice"
            missing = set(acknowledged) - set(ids)
            assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged traces are gone"
            for trace_id in chance.sample(acknowledged, min(20, len(acknowledged))):
                spans = [span["span_id"] for span in server.call("/api/v1/traces/" + trace_id)["spans"]]
                assert len(spans) == len(set(spans)) == 2, "a root and one model call"
            build = server.call("/api/v1/features/build", {})
            end = time.monotonic() + 60
            while server.call("/api/v1/features/builds/" + build["id"])["state"] == "running":
                assert time.monotonic() < end, "the build does not end"
            answer = server.call("/v1/chat/completions", {"model": "twin", "messages": [{"role": "user", "content": "wheels turn"}]})
            assert answer["volan"]["sources"], "the index gives no sources"
        finally:
            server.kill()
    finally:
        mock.kill()
        mock.wait()
