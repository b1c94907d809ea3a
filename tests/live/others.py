"""Groups, attachments, votes, safety numbers, signatures and agreements with another implementation."""
import hashlib
import hmac

from peer import flipped, must_refuse
from sessions import hkdf

KINDS = {
    "image": "Image", "sticker": "Image", "product": "Image", "biz-cover-photo": "Image", "video": "Video", "gif": "Video",
    "ptv": "Video", "audio": "Audio", "ptt": "Audio", "document": "Document", "md-msg-hist": "History",
    "md-app-state": "App State", "thumbnail-link": "Link Thumbnail", "thumbnail-document": "Document Thumbnail",
    "thumbnail-image": "Image Thumbnail", "thumbnail-video": "Video Thumbnail", "payment-bg-image": "Payment Background",
}
SIZES = (0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 1 << 20)
RANGES = ((0, 1), (100, 200), (65_520, 65_552), (131_072, 200_000), (199_999, 200_000))
DIGESTS = ("mediaKey", "fileSha256", "fileEncSha256", "fileLength")


def group_from(run, name, sender, receivers, group, messages):
    """One sender; the second receiver joins after a third of the messages. Shuffled, some lost. Returns the
    transcript."""
    random = run.random
    bisik_sends = sender.name == "bisik"
    counted = run.counts.row(name, "groups")
    events = []

    def distribute(receiver):
        drawn = {"random": run.bytes(68).hex()} if bisik_sends else {}
        body = sender.call("create_skdm", **group, **drawn)["body"]
        receiver.call("process_skdm", **{"from": sender.address}, body=body, **group)
        events.append({"do": "distribution", **drawn, "body": body})

    for peer in (sender, *receivers):
        peer.call("init", name=peer.name)
    distribute(receivers[0])
    sent = []
    for at in range(messages):
        if at == messages // 3:
            distribute(receivers[1])
        plaintext = run.bytes(random.randrange(200))
        drawn = {"random": run.bytes(64).hex()} if bisik_sends else {}
        body = sender.call("group_encrypt", **group, plaintext=plaintext.hex(), **drawn)["body"]
        sent.append((at, plaintext, body))
        events.append({"do": "message", "plaintext": plaintext.hex(), **drawn, "body": body})

    def refuse(why, code, receiver, body):
        must_refuse(run.counts, name, "groups", why, f"GroupDecryptError::{code}",
                    lambda: receiver.group_decrypt(sender, body, **group))
        events.append({"do": "refuse", "code": f"GroupDecryptError::{code}", "body": body})

    random.shuffle(sent)
    read = []
    for at, plaintext, body in sent:
        if random.random() < 0.05:
            continue
        for receiver in receivers[:1] if at < messages // 3 else receivers:
            first = receiver is receivers[0]
            if not bisik_sends and first and random.random() < 0.2:
                refuse("forged signature", "Rejected", receiver, flipped(body, -40))
            assert receiver.group_decrypt(sender, body, **group) == plaintext
            counted["to" if bisik_sends else "from"] += 1
            if first:
                events.append({"do": "read", "body": body, "plaintext": plaintext.hex()})
        read.append(body)
    if not bisik_sends:
        for body in random.sample(read, 5):
            refuse("replay", "Replayed", receivers[0], body)
    return {"sent_by_bisik": bisik_sends, "name": group, "events": events}


def sidecar(made, kind):
    """Computed from its description, independent of both implementations."""
    keys = hkdf(bytes(32), bytes.fromhex(made["mediaKey"]), f"WhatsApp {KINDS[kind]} Keys".encode(), 112)
    stream = keys[:16] + bytes.fromhex(made["enc"])
    windows = range(0, len(stream) - 16, 65_536)
    return b"".join(hmac.digest(keys[48:80], stream[at:at + 65_552], hashlib.sha256)[:10] for at in windows).hex()


def media(run, name, bisik, other, keep):
    """Every kind and size, in both directions, and parts of a larger file."""
    counted, kept = run.counts.row(name, "attachments"), []
    for kind in KINDS:
        for size in SIZES:
            data = run.bytes(size).hex()
            made = theirs = other.call("media_encrypt", data=data, mediaType=kind)
            told = {key: made[key] for key in DIGESTS}
            assert bisik.call("media_decrypt", enc=made["enc"], mediaType=kind, **told)["data"] == data
            counted["from"] += 1
            if size in keep:
                kept.append({"kind": kind, "data": data, "enc": made["enc"], **told})
            refuse_media(run, name, bisik, kind, made, told)
            made = bisik.call("media_encrypt", data=data, mediaType=kind)
            assert other.call("media_decrypt", enc=made["enc"], mediaKey=made["mediaKey"], mediaType=kind)["data"] == data
            assert made["sidecar"] == sidecar(made, kind), (kind, size)
            counted["to"] += 1
            # The other checks neither tag nor digests: under its key, all of them have to be its own.
            again = bisik.call("media_encrypt", data=data, mediaType=kind, mediaKey=theirs["mediaKey"])
            assert all(again[key] == theirs[key] for key in ("enc", *DIGESTS)), (kind, size)
    parts(run, name, bisik, other)
    return kept


def refuse_media(run, name, bisik, kind, made, told):
    for why, at in (("changed tag", -1), ("changed file", -20)):
        blob = flipped(made["enc"], at)
        of_blob = {"mediaKey": told["mediaKey"], "enc": blob, "mediaType": kind}
        must_refuse(run.counts, name, "attachments", why, "MediaError::Rejected",
                    lambda asked=of_blob: bisik.call("media_decrypt", **asked))
    wrong = {**told, "fileSha256": flipped(told["fileSha256"])}
    must_refuse(run.counts, name, "attachments", "another digest", "MediaError::Rejected",
                lambda: bisik.call("media_decrypt", enc=made["enc"], mediaType=kind, **wrong))


def parts(run, name, bisik, other):
    data = run.bytes(200_000).hex()
    theirs, ours = (peer.call("media_encrypt", data=data, mediaType="video") for peer in (other, bisik))
    counted = run.counts.row(name, "parts of attachments")
    for start, end in RANGES:
        part, wanted = data[2 * start:2 * end], {"mediaType": "video", "startByte": start, "endByte": end}
        for more in ({}, {"sidecar": sidecar(theirs, "video")}):
            told = {key: theirs[key] for key in DIGESTS}
            assert bisik.call("media_decrypt", enc=theirs["enc"], **told, **more, **wanted)["data"] == part
            counted["from"] += 1
        assert other.call("media_decrypt", enc=ours["enc"], mediaKey=ours["mediaKey"], **wanted)["data"] == part
        counted["to"] += 1
        told = {key: ours[key] for key in (*DIGESTS, "sidecar")}
        must_refuse(run.counts, name, "parts of attachments", "changed part", "MediaError::Rejected",
                    lambda: bisik.call("media_decrypt", enc=flipped(ours["enc"], start), **told, **wanted))


def polls(run, name, bisik, other):
    counted, kept = run.counts.row(name, "votes"), []
    for at in range(20):
        poll = {"pollEncKey": run.bytes(32).hex(), "pollMsgId": run.bytes(8).hex().upper(),
                "pollCreatorJid": f"62812{at:07}@s.whatsapp.net", "voterJid": f"62813{at:07}@s.whatsapp.net"}
        chosen = [run.bytes(32).hex() for _ in range(at % 6)]
        sealed = other.call("poll_vote_encrypt", **poll, selectedOptions=chosen)
        assert bisik.call("poll_vote_decrypt", **poll, **sealed)["selectedOptions"] == chosen
        counted["from"] += 1
        kept.append({**poll, **sealed, "selectedOptions": chosen})
        another = {**poll, "voterJid": "628990000000@s.whatsapp.net"}
        must_refuse(run.counts, name, "votes", "another voter", "AddOnError::Rejected",
                    lambda: bisik.call("poll_vote_decrypt", **another, **sealed))
        sealed = bisik.call("poll_vote_encrypt", **poll, selectedOptions=chosen)
        assert other.call("poll_vote_decrypt", **poll, **sealed)["selectedOptions"] == chosen
        counted["to"] += 1
    return kept


def safety_numbers(run, name, bisik, other):
    counted, kept = run.counts.row(name, "safety numbers"), []
    for at in range(10):
        alice, bob = other.call("gen_keypair")["publicKey"], bisik.call("gen_keypair")["publicKey"]
        ids = (run.bytes(16).hex(), run.bytes(16).hex()) if at % 2 else (b"+628120000001".hex(), b"+628130000002".hex())
        asked = {"version": at % 2 + 1, "localKey": alice, "localId": ids[0], "remoteKey": bob, "remoteId": ids[1]}
        mirrored = {**asked, "localKey": bob, "localId": ids[1], "remoteKey": alice, "remoteId": ids[0]}
        number = other.call("fingerprint", **asked)
        assert bisik.call("fingerprint", **asked) == number
        counted["from"] += 1
        theirs = other.call("fingerprint", **mirrored)["scannable"]
        assert bisik.call("fingerprint", **asked, theirs=theirs)["equal"] is True
        counted["from"] += 1
        must_refuse(run.counts, name, "safety numbers", "code of another key", "ScanError::Mismatch",
                    lambda: bisik.call("fingerprint", **{**asked, "remoteKey": alice}, theirs=theirs))
        kept.append({**asked, **number, "theirs": theirs})
    return kept


def signatures(run, name, bisik, other, **more):
    """Each signs, each verifies; shared secrets are the same."""
    counted, kept = run.counts.row(name, "signatures and agreements"), []
    for at in range(40):
        ours, theirs = bisik.call("gen_keypair"), bisik.call("gen_keypair")
        message = run.bytes(at * 7).hex()
        by_other = other.call("sign", privateKey=theirs["privateKey"], message=message, **more)["signature"]
        public = {"publicKey": theirs["publicKey"], "message": message}
        assert bisik.call("verify", **public, signature=by_other)["valid"] is True
        for bad in (flipped(by_other, 10), flipped(by_other, 40)):
            assert bisik.call("verify", **public, signature=bad)["valid"] is False
            run.counts.refused(name, "signatures and agreements", "changed signature", None)
        by_us = bisik.call("sign", privateKey=ours["privateKey"], message=message)["signature"]
        asked = {"publicKey": ours["publicKey"], "message": message, "signature": by_us}
        assert other.call("verify", **asked, **more)["valid"] is True
        for at_byte in (10, 40):
            bad = {**asked, "signature": flipped(by_us, at_byte)}
            assert other.call("verify", **bad, **more)["valid"] is False, (name, "accepts a wrong signature")
            run.counts.other(name, "signatures and agreements", "changed signature")
        halves = {"privateKey": ours["privateKey"], "publicKey": theirs["publicKey"]}
        assert bisik.call("agree", **halves) == other.call("agree", **halves)
        counted["from"] += 1
        counted["to"] += 1
        kept.append({**public, "signature": by_other})
    return kept[:10]
