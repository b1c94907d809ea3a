"""Makes and verifies the files of tests/vectors.

    vectors.py verify DIRECTORY   runs every script there, and compares
    vectors.py write DIRECTORY    makes all files afresh, from fresh randomness

tests/formats/vectors.rs runs the same files against the crate.
"""

import sys
from pathlib import Path

from belonging import groups_
from bodies import content_
from braids import braid, epochs_
from calling import call
from chaining import group_chain
from conversation import conversation
from devices import device
from files import media
from frames import frame_
from framing import frame_format_
from hosting import hosted_devices
from keys import aead, bundle, dh_keys, kem
from lettering import group_letter
from messages import chain, header, message, ratchet, root
from opening import handshake
from records import state
from resuming import resumption_
from script import Differs, World, parse, render
from selling import business_
from sharing import group_
from texting import texts_

FILES = {"aead": aead, "dh": dh_keys, "kem": kem, "bundle": bundle, "handshake": handshake, "root": root,
         "chain": chain, "braid": braid, "epochs": epochs_, "resumption": resumption_, "header": header,
         "message": message, "ratchet": ratchet, "conversation": conversation,
         "state": state, "media": media, "call": call, "content": content_, "group-content": group_, "device": device,
         "endpoint": hosted_devices, "frame": frame_, "frame-format": frame_format_, "business": business_,
         "text": texts_, "membership": groups_, "group-chain": group_chain,
         "group-letter": group_letter}


def write(directory):
    for name, make in FILES.items():
        made = make()
        (directory / f"{name}.txt").write_text(render(made.steps, make.__doc__))
        print(f"{name}.txt: {len(made.steps)} steps written")


def check(directory):
    files = sorted(directory.glob("*.txt"))
    assert files, "no vectors there"
    for file in files:
        world, steps = World(), parse(file.read_text())
        for number, step in enumerate(steps, 1):
            try:
                world.run(step)
            except Exception as error:
                sys.exit(f"{file}: step {number} ({step.get('do')}): {error!r}")
        print(f"{file.name}: {len(steps)} steps agree")


if __name__ == "__main__":
    {"verify": check, "write": write}[sys.argv[1]](Path(sys.argv[2]))
