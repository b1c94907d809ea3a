"""The verbs of group-chain.txt (docs/spec/test-vectors.md, A.2)."""

import chains
from bisik import open_record, record
from primitives import require

OWN_CHAIN, CHAINS = 19, 20
DECIMAL, WORDS = {"device", "history", "epoch", "audience", "opens_more"}, {"via"}
INPUTS = {"device", "history", "epoch", "audience", "group", "view", "origin", "lists", "lists_of", "entry", "acts", "given",
          "targets"}


def devices(data):
    return {data[at:at + 64] for at in range(0, len(data), 64)}


class ChainSteps:
    def begin_chain(self, step, draw):
        account, own = self.identities[step["with"]].public, self.identities[step["of"]].public
        chain = chains.OwnChain(step["group"], self.chain_origin(step), account, step["device"], own, step["history"], step["now"], draw)
        self.own_chains[step["of"]] = chain
        return {"chain": chains.chain_id(chain.signing_key)}

    def chain_origin(self, step):
        """An audience has none."""
        require(step.get("origin") != chains.NO_ORIGIN, "no-origin")
        return step.get("origin", chains.NO_ORIGIN)

    def renew_chain(self, step, draw):
        chain = self.own_chains[step["of"]]
        chain.renew(self.chain_origin(step), step["history"], step["now"], draw)
        return {"chain": chains.chain_id(chain.signing_key)}

    def rekey_chain(self, step, draw):
        self.own_chains[step["of"]].ask(1)
        return {}

    def restored_chain(self, step, draw):
        self.own_chains[step["of"]].ask(2)
        return {}

    def targets(self, step):
        """Those that the step names, or else everybody who was given the chain."""
        given = {device for device, given in self.own_chains[step["of"]].given.items() if given & 1}
        return devices(step["targets"]) if "targets" in step else given

    def plan_chain(self, step, draw):
        self.own_chains[step["of"]].ready(self.targets(step), step["now"])
        return {}

    def give_chain(self, step, draw):
        chain, device = self.own_chains[step["of"]], self.identities[step["with"]].public
        targets = self.targets(step) | (set() if "targets" in step else {device})
        return {"given": chain.give(device, targets, chain.begun, step["view"], step["lists"])}

    def write_group(self, step, draw):
        chain = self.own_chains[step["of"]]
        return chain.write(self.targets(step), chain.begun, step["view"], step["plaintext"], draw)

    def follow_sender(self, step, draw):
        own, sender = self.own_chains[step["with"]], self.identities[step["with"]].public
        kind = bool(step.get("audience", 0))
        self.chains[step["of"], step["with"]] = chains.Chains(step["group"], kind, own.account, own.device, sender)
        return {}

    def take_chain(self, step, draw):
        followed = self.chains[step["of"], step["with"]]
        peer = self.identities[step.get("via", step["with"])].public
        more, lost = followed.take(step["given"], peer)
        return {"opens_more": int(more), "given_up": lost, "kept_keys": followed.kept_keys()}

    def open_group(self, step, draw):
        followed = self.chains[step["of"], step["with"]]
        return followed.open(step["message"]) | {"kept_keys": followed.kept_keys()}

    def close_chains(self, step, draw):
        followed = self.chains[step["of"], step["with"]]
        return {"given_up": followed.close(), "kept_keys": followed.kept_keys()}

    def seal_chain(self, step, draw):
        state = self.own_chains[step["of"]].encode()
        return {"record": record(step["key"], draw, OWN_CHAIN, step["context"], state), "state": state}

    def seal_chains(self, step, draw):
        state = self.chains[step["of"], step["with"]].encode()
        return {"record": record(step["key"], draw, CHAINS, step["context"], state), "state": state}

    def unseal_chain(self, step, draw):
        """The crate continues with the opened state; here it must be the present one."""
        state = open_record(step["key"], OWN_CHAIN, step["context"], step["record"])
        require(state == self.own_chains[step["of"]].encode(), "rejected")
        return {}

    def unseal_chains(self, step, draw):
        state = open_record(step["key"], CHAINS, step["context"], step["record"])
        require(state == self.chains[step["of"], step["with"]].encode(), "rejected")
        return {}

    def group_view(self, step, draw):
        return {"view": chains.view_of(step["epoch"], step["entry"], step["acts"], step["lists"])}

    def lists_digest(self, step, draw):
        data = step["lists_of"]
        return {"lists": chains.lists_digest([data[at:at + 104] for at in range(0, len(data), 104)])}

    def audience_id(self, step, draw):
        return {"group": chains.audience(self.identities[step["of"]].public, draw)}
