"""Tests bisik against other implementations: drives them, counts, and ends with an error at the first deviation.

    live.py BISIK DIRECTORY [--seed N] [--write] [--check] [--record]

BISIK is the built examples/peer; DIRECTORY holds the installed peers. --write puts the table into docs/interop.md,
--check fails if it differs from the table there, --record writes the transcripts of tests/vectors/interop."""
import argparse
import json
import pathlib
import random

import native
import others
import sessions
import shared
import version4
from peer import Counts, Peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/interop.md"
VECTORS = ROOT / "tests/vectors/interop"
MARKS = ("<!-- live: begin -->", "<!-- live: end -->")
DISTRIBUTION = {"distributionId": "d1d1d1d1-7000-11eb-b32a-33b8a8a487a6"}
GROUP = {"groupId": "120363000000000000@g.us"}
NAMES = {"js": "npm libsignal 6.0.0", "wasm": "whatsapp-rust-bridge 0.5.4", "python": "DoubleRatchet 1.3.0, Oldmemo 2.1.0",
         "signal": "libsignal-client 0.103.0", "baileys": "Baileys 7.0.0-rc13", "itself": "bisik itself"}


class Run:
    """Runs one seed and returns the results."""

    def __init__(self, seed):
        self.random, self.counts, self.records = random.Random(seed), Counts(), {}

    def bytes(self, count):
        return self.random.randbytes(count)


def start(arguments):
    """Two of each implementation at once; the second of the two joins groups late."""
    def node(name, script, **fixed):
        return Peer(name, ["node", script], arguments.directory, **fixed)

    python = Peer("python", ["venv/bin/python", "python.py"], arguments.directory)
    return {
        "bisik": [Peer(name, [arguments.bisik]) for name in ("bisik", "bisik-late")],
        "js": [node(name, "whatsapp.mjs", backend="js") for name in ("js", "js-late")],
        "wasm": [node(name, "whatsapp.mjs", backend="wasm") for name in ("wasm", "wasm-late")],
        "signal": [node(name, "libsignal-client.mjs") for name in ("signal", "signal-late")],
        "python": [python],
    }


def drive(run, peers, speak, key, windows):
    """Both initiate, with one-time keys and without."""
    return [speak(run, NAMES[key], peers["bisik"][0], peers[key][0], begins, one_time, windows)
            for begins in (True, False) for one_time in (True, False)]


def group(run, peers, key, name, messages):
    bisik, others_of = peers["bisik"], peers[key]
    return [others.group_from(run, NAMES[key], bisik[0], others_of, name, messages),
            others.group_from(run, NAMES[key], others_of[0], bisik, name, messages)]


def everything(run, peers, windows, messages, keep):
    bisik, js, signal = (peers[key][0] for key in ("bisik", "js", "signal"))
    records = run.records
    for key, speak in (("js", sessions.speak), ("wasm", sessions.speak), ("python", sessions.speak),
                       ("signal", sessions.crafted)):
        records[key] = {"sessions": drive(run, peers, speak, key, windows)}
    sessions.begun_again(run, bisik, [(NAMES[key], peers[key][0]) for key in ("js", "wasm")], 9)
    # npm libsignal tries a message in the wrong state and keeps the damage: it alone may leave something unread.
    for key, other, most in (("js", js, 2), ("wasm", peers["wasm"][0], 0), ("itself", peers["bisik"][1], 0)):
        sessions.crossed(run, NAMES[key], bisik, other, most)
    for key, name in (("js", GROUP), ("wasm", GROUP), ("signal", DISTRIBUTION)):
        records[key]["groups"] = group(run, peers, key, name, messages)
    for key in ("js", "wasm", "python", "signal"):
        records[key]["signatures"] = others.signatures(run, NAMES[key], bisik, peers[key][0])
    records["signal"]["fingerprints"] = others.safety_numbers(run, NAMES["signal"], bisik, signal)
    records["baileys"] = {"media": others.media(run, NAMES["baileys"], bisik, js, keep),
                          "polls": others.polls(run, NAMES["baileys"], bisik, js)}
    shared.everything(run, NAMES["baileys"], bisik, js)
    if not keep:
        version4.sessions(run, NAMES["signal"], bisik, signal, windows)
        version4.long(run, NAMES["signal"], bisik, signal, 2000)
        version4.at_once(run, NAMES["signal"], bisik, signal, 6)
        version4.every_byte(run, NAMES["signal"], bisik, signal)
    native.native(run, *peers["bisik"])


def document(table):
    text = DOCUMENT.read_text()
    (before, rest), end = text.split(MARKS[0]), MARKS[1]
    return text, f"{before}{MARKS[0]}\n{table}\n{end}{rest.split(end)[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bisik")
    parser.add_argument("directory")
    parser.add_argument("--seed", type=int, default=1)
    for option in ("--write", "--check", "--record"):
        parser.add_argument(option, action="store_true")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    run, peers = Run(arguments.seed), start(arguments)
    everything(run, peers, *((2, 12, (0, 1, 16, 17)) if arguments.record else (17, 90, ())))
    for peer in (peer for several in peers.values() for peer in several):
        peer.close()
    table = run.counts.table()
    print(table)
    if arguments.record:
        for key, record in run.records.items():
            about = {"peer": NAMES[key], "seed": arguments.seed, **record}
            text = json.dumps(about, separators=(",", ":"))
            (VECTORS / f"live-{key}.json").write_text(text.replace('{"', '\n{"').strip() + "\n")
        return
    standing, now = document(table)
    if arguments.write:
        DOCUMENT.write_text(now)
    if arguments.check and standing != now:
        raise SystemExit("the table in docs/interop.md is another: run tests/live/run.sh --write")


main()
