"""A peer program that answers lines of JSON, with the counts and the record of a run."""
import json
import subprocess


class Refused(Exception):
    """The program answered with an error."""

    def __init__(self, error):
        super().__init__(f"{error['name']}::{error['code']}: {error['message']}")
        self.code = f"{error['name']}::{error['code']}"


class Peer:
    """One process. `name` is its address; every request has the `fixed` arguments."""

    def __init__(self, name, command, cwd=None, **fixed):
        self.name, self.fixed, self.asked = name, fixed, 0
        self.address = {"name": name, "device": 1}
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def call(self, op, **arguments):
        self.asked += 1
        self.process.stdin.write(json.dumps({"id": self.asked, "op": op, **self.fixed, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended during {op}, with status {self.process.wait()}")
        reply = json.loads(line)
        assert reply["id"] == self.asked, f"{self.name} answers another request"
        if reply["ok"]:
            return reply["result"]
        raise Refused(reply["error"])

    def encrypt(self, to, plaintext, **more):
        return self.call("encrypt", to=to.address, plaintext=plaintext.hex(), **more)

    def decrypt(self, sender, message):
        result = self.call("decrypt", **{"from": sender.address}, type=message["type"], body=message["body"])
        return bytes.fromhex(result["plaintext"])

    def group_decrypt(self, sender, body, **group):
        return bytes.fromhex(self.call("group_decrypt", **{"from": sender.address}, body=body, **group)["plaintext"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Counts:
    """What each side read, and what each refused or could not read, with reasons: the rows of the table."""

    def __init__(self):
        self.rows = {}

    def row(self, name, what):
        return self.rows.setdefault((name, what), {"from": 0, "to": 0, "refused": {}, "other": {}})

    def refused(self, name, what, why, code):
        refused = self.row(name, what)["refused"]
        refused[why] = refused.get(why, 0) + 1
        return code

    def other(self, name, what, why, count=1):
        other = self.row(name, what)["other"]
        other[why] = other.get(why, 0) + count

    def table(self):
        lines = ["| with | what | read by bisik | written by bisik, read by the other | refused by bisik | refused by the other |",
                 "|---|---|---:|---:|---|---|"]
        for (name, what), row in self.rows.items():
            ours, theirs = (", ".join(f"{count} {why}" for why, count in sorted(row[side].items()))
                            for side in ("refused", "other"))
            lines.append(f"| {name} | {what} | {row['from']:,} | {row['to']:,} | {ours} | {theirs} |")
        return "\n".join(lines)


def must_refuse(counts, name, what, why, code, ask):
    """`ask` must end with the error `code`, or with one of several, the first of which is counted; any other result ends
    the run."""
    codes = (code,) if isinstance(code, str) else code
    try:
        answer = ask()
    except Refused as refused:
        assert refused.code in codes, f"{name}, {what}, {why}: {refused} in place of {code}"
        counts.refused(name, what, why, codes[0])
        return
    raise AssertionError(f"{name}, {what}, {why}: not refused, but answered with {answer}")


def flipped(body, at=-1):
    """The message with one bit changed."""
    changed = bytearray.fromhex(body)
    changed[at] ^= 1
    return changed.hex()
