// libsignal-client as a peer in lines of JSON. Version 4 of the wire as it is, version 3 only through records that are
// loaded; sender keys, signatures and safety numbers as they are. Does not know what is tested.
import * as S from '@signalapp/libsignal-client';
import { serve, hex, un } from './serve.mjs';

const bytes = (text) => Uint8Array.from(un(text));
const key = (address) => `${address.name()}.${address.deviceId()}`;
const address = (it) => S.ProtocolAddress.new(it.name, it.device ?? 1);

class Sessions extends S.SessionStore {
  all = new Map();
  async saveSession(of, record) { this.all.set(key(of), record.serialize()); }
  async getSession(of) { const found = this.all.get(key(of)); return found ? S.SessionRecord.deserialize(found) : null; }
  async getExistingSessions(of) { return Promise.all(of.map((one) => this.getSession(one))); }
}
class Identities extends S.IdentityKeyStore {
  constructor(secret, registrationId) { super(); this.secret = secret; this.registrationId = registrationId; }
  async getIdentityKey() { return this.secret; }
  async getLocalRegistrationId() { return this.registrationId; }
  async saveIdentity() { return S.IdentityChange.NewOrUnchanged; }
  async isTrustedIdentity() { return true; }
  async getIdentity() { return null; }
}
class SenderKeys extends S.SenderKeyStore {
  all = new Map();
  async saveSenderKey(of, id, record) { this.all.set(`${key(of)} ${id}`, record.serialize()); }
  async getSenderKey(of, id) { const found = this.all.get(`${key(of)} ${id}`); return found ? S.SenderKeyRecord.deserialize(found) : null; }
}
class PreKeys extends S.PreKeyStore {
  all = new Map();
  async savePreKey(id, record) { this.all.set(id, record.serialize()); }
  async getPreKey(id) { return S.PreKeyRecord.deserialize(held(this.all, id)); }
  async removePreKey(id) { this.all.delete(id); }
}
class SignedPreKeys extends S.SignedPreKeyStore {
  all = new Map();
  async saveSignedPreKey(id, record) { this.all.set(id, record.serialize()); }
  async getSignedPreKey(id) { return S.SignedPreKeyRecord.deserialize(held(this.all, id)); }
}
// As the clients do: a one-time key is removed, of the others what opened a session is remembered.
class KyberPreKeys extends S.KyberPreKeyStore {
  all = new Map();
  lastResort = new Set();
  seen = new Set();
  async saveKyberPreKey(id, record) { this.all.set(id, record.serialize()); }
  async getKyberPreKey(id) { return S.KyberPreKeyRecord.deserialize(held(this.all, id)); }
  async markKyberPreKeyUsed(id, signedId, baseKey) {
    if (!this.lastResort.has(id)) { this.all.delete(id); return; }
    const used = `${id} ${signedId} ${hex(baseKey.serialize())}`;
    if (this.seen.has(used)) throw new Error('the base key was used');
    this.seen.add(used);
  }
}
function held(all, id) { const found = all.get(id); if (!found) throw new Error(`no pre-key ${id}`); return found; }

let me;
let stores;
await serve({
  init(a) {
    const secret = a.identityPrivate ? S.PrivateKey.deserialize(bytes(a.identityPrivate)) : S.PrivateKey.generate();
    const registrationId = a.registrationId ?? 1;
    stores = [new PreKeys(), new SignedPreKeys(), new KyberPreKeys()];
    me = { address: S.ProtocolAddress.new(a.name, a.device ?? 1), identities: new Identities(secret, registrationId), sessions: new Sessions(), senderKeys: new SenderKeys() };
    return { name: a.name, registrationId, identityKey: hex(secret.getPublicKey().serialize()), identityPrivate: hex(secret.serialize()) };
  },
  // Version 4.
  async gen_bundle(a) {
    const [preKeys, signedPreKeys, kyberPreKeys] = stores;
    const [identity, now] = [me.identities.secret, 1_700_000_000_000];
    const signed = S.PrivateKey.generate(), kyber = S.KEMKeyPair.generate(), one = a.preKeyId == null ? null : S.PrivateKey.generate();
    const sign = (key) => identity.sign(key.serialize());
    const signatures = [sign(signed.getPublicKey()), sign(kyber.getPublicKey())];
    await signedPreKeys.saveSignedPreKey(a.signedPreKeyId, S.SignedPreKeyRecord.new(a.signedPreKeyId, now, signed.getPublicKey(), signed, signatures[0]));
    await kyberPreKeys.saveKyberPreKey(a.kyberPreKeyId, S.KyberPreKeyRecord.new(a.kyberPreKeyId, now, kyber, signatures[1]));
    if (a.lastResort) kyberPreKeys.lastResort.add(a.kyberPreKeyId);
    if (one) await preKeys.savePreKey(a.preKeyId, S.PreKeyRecord.new(a.preKeyId, one.getPublicKey(), one));
    return { bundle: {
      registrationId: me.identities.registrationId, deviceId: me.address.deviceId(), identityKey: hex(identity.getPublicKey().serialize()),
      preKeyId: a.preKeyId ?? null, preKeyPublic: one ? hex(one.getPublicKey().serialize()) : null,
      signedPreKeyId: a.signedPreKeyId, signedPreKeyPublic: hex(signed.getPublicKey().serialize()), signedPreKeySignature: hex(signatures[0]),
      kyberPreKeyId: a.kyberPreKeyId, kyberPreKeyPublic: hex(kyber.getPublicKey().serialize()), kyberPreKeySignature: hex(signatures[1]),
    } };
  },
  async process_bundle(a) {
    const b = a.bundle, key = (text) => text == null ? null : S.PublicKey.deserialize(bytes(text));
    const bundle = S.PreKeyBundle.new(b.registrationId, b.deviceId, b.preKeyId ?? null, key(b.preKeyPublic), b.signedPreKeyId, key(b.signedPreKeyPublic),
      bytes(b.signedPreKeySignature), key(b.identityKey), b.kyberPreKeyId, S.KEMPublicKey.deserialize(bytes(b.kyberPreKeyPublic)), bytes(b.kyberPreKeySignature));
    await S.processPreKeyBundle(bundle, address(a.address), me.address, me.sessions, me.identities, new Date());
    return {};
  },
  delete_session(a) { return { deleted: me.sessions.all.delete(key(address(a.address))) }; },
  load_session(a) { me.sessions.all.set(key(address(a.address)), S.SessionRecord.deserialize(bytes(a.record)).serialize()); return {}; },
  async encrypt(a) {
    const message = await S.signalEncrypt(bytes(a.plaintext), address(a.to), me.address, me.sessions, me.identities, new Date());
    return { type: message.type(), body: hex(message.serialize()) };
  },
  async decrypt(a) {
    const [body, from] = [bytes(a.body), address(a.from)];
    const plaintext = a.type === 3
      ? await S.signalDecryptPreKey(S.PreKeySignalMessage.deserialize(body), from, me.address, me.sessions, me.identities, ...stores)
      : await S.signalDecrypt(S.SignalMessage.deserialize(body), from, me.address, me.sessions, me.identities);
    return { plaintext: hex(plaintext) };
  },
  async create_skdm(a) { return { body: hex((await S.SenderKeyDistributionMessage.create(me.address, a.distributionId, me.senderKeys)).serialize()) }; },
  async process_skdm(a) { await S.processSenderKeyDistributionMessage(address(a.from), S.SenderKeyDistributionMessage.deserialize(bytes(a.body)), me.senderKeys); return {}; },
  async group_encrypt(a) { return { body: hex((await S.groupEncrypt(me.address, a.distributionId, me.senderKeys, bytes(a.plaintext))).serialize()) }; },
  async group_decrypt(a) { return { plaintext: hex(await S.groupDecrypt(address(a.from), me.senderKeys, bytes(a.body))) }; },
  fingerprint(a) {
    const keys = [a.localKey, a.remoteKey].map((it) => S.PublicKey.deserialize(bytes(it)));
    const number = S.Fingerprint.new(5200, a.version, bytes(a.localId), keys[0], bytes(a.remoteId), keys[1]);
    return { displayable: number.displayableFingerprint().toString(), scannable: hex(number.scannableFingerprint().toBuffer()) };
  },
  gen_keypair() { const pair = S.PrivateKey.generate(); return { privateKey: hex(pair.serialize()), publicKey: hex(pair.getPublicKey().serialize()) }; },
  sign(a) { return { signature: hex(S.PrivateKey.deserialize(bytes(a.privateKey)).sign(bytes(a.message))) }; },
  verify(a) { return { valid: S.PublicKey.deserialize(bytes(a.publicKey)).verify(bytes(a.message), bytes(a.signature)) }; },
  agree(a) { return { shared: hex(S.PrivateKey.deserialize(bytes(a.privateKey)).agree(S.PublicKey.deserialize(bytes(a.publicKey)))) }; },
});
