"""App state, repeated uploads, reporting tokens and answers to events, with Baileys."""
from peer import Refused, flipped, must_refuse

COLLECTIONS = ("critical_block", "critical_unblock_low", "regular_high", "regular_low", "regular")
EMPTY = {"version": 0, "hash": "00" * 128, "values": {}}


def everything(run, name, bisik, other):
    for collection in COLLECTIONS:
        app_state(run, name, bisik, other, collection)
    retries(run, name, bisik, other)
    tokens(run, name, bisik, other)
    answers(run, name, bisik, other)


def other_refuses(run, name, what, why, ask):
    """`ask` must end with an error, or, of a patch, without a value: Baileys leaves out what it cannot open."""
    try:
        answer = ask()
    except Refused:
        answer = {"indices": []}
    if answer.get("indices") == []:
        run.counts.other(name, what, why)
        return
    raise AssertionError(f"{name}, {what}, {why}: not refused by the other, but answered with {answer}")


def app_state(run, name, bisik, other, collection):
    """Patches of one value each, by either side in turn: set, set again, and removed. Both have the same hash after each."""
    what, counted = "app state", run.counts.row(name, "app state")
    key = {"keyData": run.bytes(32).hex(), "keyId": run.bytes(6).hex()}
    state = dict(EMPTY)
    plan = [("SET", 1), ("SET", 2), ("SET", 1), ("REMOVE", 2), ("SET", 3), ("REMOVE", 1), ("SET", 2), ("SET", 3)]
    for at, (operation, number) in enumerate(plan):
        index = ["pin_v1", f"62812000000{number}@s.whatsapp.net"]
        text = "".join(["[", ",".join(f'"{part}"' for part in index), "]"]).encode().hex()
        asked = {**key, "operation": operation}
        if at % 2 == 0:
            made = other.call("encode_patch", **asked, collection=collection, index=index, at=at + 1, state=state)
            opened = bisik.call("app_state_open", **asked, sealed=made["sealed"], index=text, indexTag=made["indexTag"])
            assert text in opened["value"]
            tags = change(state, operation, made["indexTag"], opened["tag"])
            verify = {**key, **tags, "collection": collection, "version": made["state"]["version"],
                      "snapshotTag": made["snapshotTag"], "patchTag": made["patchTag"]}
            assert bisik.call("app_state_verify", **verify)["hash"] == made["state"]["hash"]
            counted["from"] += 1
            wrong = {"changed value": ("app_state_open", {**asked, "sealed": flipped(made["sealed"], 20)}),
                     "another index": ("app_state_open", {**asked, "sealed": made["sealed"], "index": text + "00",
                                                          "indexTag": made["indexTag"]}),
                     "another version": ("app_state_verify", {**verify, "version": verify["version"] + 1}),
                     "changed hash": ("app_state_verify", {**verify, "add": [*verify["add"], run.bytes(32).hex()]})}
            for why, (op, arguments) in wrong.items():
                must_refuse(run.counts, name, what, why, "AppStateError::AppStateError",
                            lambda op=op, arguments=arguments: bisik.call(op, **arguments))
            after = made["state"]
        else:
            value = other.call("sync_action", index=index, at=at + 1)["value"]
            made = bisik.call("app_state_seal", **asked, index=text, value=value)
            tags = change(state, operation, made["indexTag"], made["tag"])
            version = state["version"] + 1
            signed = bisik.call("app_state_tags", **key, **tags, collection=collection, version=version)
            patch = {**asked, "collection": collection, "version": version, "state": state, **made,
                     "snapshotTag": signed["snapshotTag"], "patchTag": signed["patchTag"]}
            found = other.call("decode_patch", **patch)
            assert found == {"indices": [index], "hash": signed["hash"]}, found
            counted["to"] += 1
            for why, field in (("changed value", "sealed"), ("changed patch", "patchTag"), ("changed index", "indexTag")):
                other_refuses(run, name, what, why, lambda field=field: other.call(
                    "decode_patch", **{**patch, field: flipped(patch[field], 20)}))
            after = {"version": version, "hash": signed["hash"], "values": dict(state["values"])}
            remember(after["values"], operation, made)
        state = after


def change(state, operation, index, tag):
    """What the patch does to the hash: takes the index's old value away, and adds the new one."""
    old = state["values"].get(index)
    return {"base": state["hash"], "subtract": [old] if old else [], "add": [tag] if operation == "SET" else [],
            "values": [tag]}


def remember(values, operation, made):
    values.pop(made["indexTag"], None)
    if operation == "SET":
        values[made["indexTag"]] = made["tag"]


def retries(run, name, bisik, other):
    what = "requests to upload again"
    counted = run.counts.row(name, what)
    for at in range(20):
        asked = {"mediaKey": run.bytes(32).hex(), "msgId": run.bytes(8).hex().upper()}
        made = other.call("media_retry_encrypt", **asked)
        assert asked["msgId"].encode().hex() in bisik.call("media_retry_decrypt", **asked, **made)["payload"]
        counted["from"] += 1
        for why, wrong in (("another message", {**asked, "msgId": "3EB0"}), ("changed request", asked)):
            sealed = {**made, "ciphertext": flipped(made["ciphertext"])} if wrong is asked else made
            must_refuse(run.counts, name, what, why, "MediaError::Rejected",
                        lambda wrong=wrong, sealed=sealed: bisik.call("media_retry_decrypt", **wrong, **sealed))
        payload = other.call("retry_answer", msgId=asked["msgId"], path=f"/v/{at}")["payload"]
        made = bisik.call("media_retry_encrypt", **asked, payload=payload)
        assert other.call("media_retry_decrypt", **asked, **made)["payload"] == payload
        counted["to"] += 1
        other_refuses(run, name, what, "another message", lambda made=made, asked=asked: other.call(
            "media_retry_decrypt", **{**asked, "msgId": "3EB0"}, **made))


def people(run, at):
    return {"secret": run.bytes(32).hex(), "parent": run.bytes(8).hex().upper(),
            "parentSender": f"62812{at:07}@s.whatsapp.net", "author": f"62813{at:07}@s.whatsapp.net"}


def tokens(run, name, bisik, other):
    counted = run.counts.row(name, "reporting tokens")
    for at in range(20):
        context = people(run, at)
        made = other.call("reporting_token", **context, text="halo " * at + "semua")
        assert bisik.call("reporting_token", **context, fields=made["fields"])["token"] == made["token"]
        counted["from"] += 1


def answers(run, name, bisik, other):
    """Baileys opens answers to events and seals none."""
    what = "answers to events"
    counted = run.counts.row(name, what)
    for at in range(20):
        context = people(run, at)
        payload = other.call("event_response", response=at % 3, at=at)["payload"]
        sealed = bisik.call("add_on_encrypt", **context, useCase="Event Response", payload=payload)
        assert other.call("event_response_decrypt", **context, **sealed)["payload"] == payload
        counted["to"] += 1
        other_refuses(run, name, what, "another author", lambda context=context, sealed=sealed: other.call(
            "event_response_decrypt", **{**context, "author": "628990000000@s.whatsapp.net"}, **sealed))
        must_refuse(run.counts, name, what, "another author", "AddOnError::Rejected",
                    lambda context=context, sealed=sealed: bisik.call(
                        "add_on_decrypt", **{**context, "author": "62899"}, useCase="Event Response", **sealed))
