"""The native suite through the same program, between two instances of bisik."""
from peer import flipped, must_refuse

NAME = "bisik itself"


def native(run, alice, bob):
    counted = run.counts.row(NAME, "native sessions")
    for one_time in (7, None):
        for peer in (alice, bob):
            peer.call("init", name=peer.name, suite="native")
        bundle = bob.call("gen_bundle", preKeyId=one_time)["bundle"]
        bad = {"bytes": flipped(bundle["bytes"])}
        must_refuse(run.counts, NAME, "native sessions", "wrong signature of a bundle", "BundleError::BadSignature",
                    lambda asked=bad: alice.call("process_bundle", address=bob.address, bundle=asked))
        alice.call("process_bundle", address=bob.address, bundle=bundle)
        for window in range(5):
            sent = []
            for _ in range(12):
                sender, receiver = (alice, bob) if window == 0 or run.random.random() < 0.5 else (bob, alice)
                plaintext = run.bytes(run.random.randrange(200))
                sent.append((sender, receiver, plaintext, sender.encrypt(receiver, plaintext)))
            run.random.shuffle(sent)
            for sender, receiver, plaintext, message in sent[1:]:
                assert receiver.decrypt(sender, message) == plaintext
                counted["from"] += 1
                counted["to"] += 1
                # An ended chain of which nothing is missing is forgotten, and a second copy of its messages with it.
                must_refuse(run.counts, NAME, "native sessions", "replay",
                            ("DecryptError::Duplicate", "DecryptError::Rejected"),
                            lambda: receiver.decrypt(sender, message))
            sender, receiver, plaintext, message = sent[0]
            changed = {**message, "body": flipped(message["body"])}
            if window:
                must_refuse(run.counts, NAME, "native sessions", "changed tag", "DecryptError::Rejected",
                            lambda: receiver.decrypt(sender, changed))
            record = receiver.call("dump_session", address=sender.address)["record"]
            receiver.call("load_session", address=sender.address, record=record)
    native_files(run, alice, bob)


def native_files(run, alice, bob):
    counted = run.counts.row(NAME, "native attachments and votes")
    for size in (0, 1, 65_535, 65_536, 65_537, 1 << 20):
        data = run.bytes(size).hex()
        made = alice.call("media_encrypt", data=data, mediaType="image/jpeg")
        assert bob.call("media_decrypt", enc=made["enc"], pointer=made["pointer"])["data"] == data
        counted["from"] += 1
        counted["to"] += 1
        must_refuse(run.counts, NAME, "native attachments and votes", "changed file", "DecryptError::Rejected",
                    lambda: bob.call("media_decrypt", enc=flipped(made["enc"]), pointer=made["pointer"]))
    poll = alice.call("poll_create", question="?", options=["a", "b", "c"], mostChoices=3)["poll"]
    named = {"poll": poll, "pollCreatorJid": "alice", "voterJid": "bob"}
    for chosen in ([], [0], [1, 2], [0, 1, 2]):
        vote = bob.call("poll_vote_encrypt", **named, selectedOptions=chosen)["encPayload"]
        assert alice.call("poll_vote_decrypt", **named, encPayload=vote)["selectedOptions"] == chosen
        counted["from"] += 1
        counted["to"] += 1
        other = {**named, "voterJid": "carol"}
        must_refuse(run.counts, NAME, "native attachments and votes", "another voter", "BallotError::Rejected",
                    lambda: alice.call("poll_vote_decrypt", **other, encPayload=vote))
