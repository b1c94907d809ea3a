// What WhatsApp's web clients run, as a peer in lines of JSON: with `backend` "js" npm libsignal and Baileys' groups, with
// "wasm" whatsapp-rust-bridge; attachments and votes are Baileys'. Does not know what is tested.
import { serve, hex, un } from './serve.mjs';
import { createRequire } from 'node:module';
import { createHmac, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';

const require = createRequire(import.meta.url);
const js = require('libsignal');
const curve = require('libsignal/src/curve.js');
const baileys = await import('baileys');
const groups = await import('baileys/lib/Signal/Group/index.js');
const votes = await import('baileys/lib/Utils/process-message.js');
const reporting = await import('baileys/lib/Utils/reporting-utils.js');
const wasm = await import('whatsapp-rust-bridge');

// State of a collection between the lines, and Baileys' way to ask for keys.
const stateOf = ({ version, hash, values }) => ({ version, hash: un(hash), indexValueMap: Object.fromEntries(Object.entries(values).map(([index, tag]) => [Buffer.from(index, 'hex').toString('base64'), { valueMac: un(tag) }])) });
const ofState = ({ version, hash, indexValueMap }) => ({ version, hash: hex(hash), values: Object.fromEntries(Object.entries(indexValueMap).map(([index, { valueMac }]) => [hex(Buffer.from(index, 'base64')), hex(valueMac)])) });
const keyIdOf = (a) => un(a.keyId).toString('base64');
const keyOf = (a) => async () => ({ keyData: un(a.keyData) });

let me;
const pairOf = (privKey) => ({ privKey, pubKey: curve.getPublicFromPrivateKey(privKey) });
const text = ({ name, device }) => `${name}.${device ?? 1}`;
const ofJs = () => ({
  loadSession: async (id) => { const found = me.sessions.get(id); return found ? js.SessionRecord.deserialize(JSON.parse(found)) : null; },
  storeSession: async (id, record) => { me.sessions.set(id, JSON.stringify(record.serialize())); },
  isTrustedIdentity: () => true,
  loadPreKey: async (id) => me.preKeys.get(Number(id)), removePreKey: async (id) => { me.preKeys.delete(Number(id)); },
  loadSignedPreKey: async (id) => me.signed.get(Number(id))?.keyPair,
  getOurRegistrationId: async () => me.registrationId, getOurIdentity: async () => me.identity,
  loadSenderKey: async (name) => { const found = me.senderKeys.get(name.toString()); return found ? groups.SenderKeyRecord.deserialize(Buffer.from(found)) : new groups.SenderKeyRecord(); },
  storeSenderKey: async (name, record) => { me.senderKeys.set(name.toString(), JSON.stringify(record.serialize(), baileys.BufferJSON.replacer)); },
});
const ofWasm = () => ({
  loadSession: async (id) => me.sessions.get(id) ?? null,
  storeSession: async (id, record) => { me.sessions.set(id, Buffer.from(record.serialize())); },
  isTrustedIdentity: async () => true,
  loadPreKey: async (id) => me.preKeys.get(id) ?? null, removePreKey: async (id) => { me.preKeys.delete(id); },
  loadSignedPreKey: async (id) => { const found = me.signed.get(id); return found ? { ...found, keyId: id } : null; },
  getOurRegistrationId: async () => me.registrationId, getOurIdentity: async () => me.identity,
  loadSenderKey: async (id) => me.senderKeys.get(id) ?? null,
  storeSenderKey: async (id, record) => { me.senderKeys.set(id, Buffer.from(record)); },
});
const isWasm = () => me.backend === 'wasm';
const address = (it) => (isWasm() ? new wasm.ProtocolAddress(it.name, it.device ?? 1) : new js.ProtocolAddress(it.name, it.device ?? 1));
const cipher = (it) => (isWasm() ? new wasm.SessionCipher(me.store, address(it)) : new js.SessionCipher(me.store, address(it)));
const senderName = (group, of) => new (isWasm() ? wasm : groups).SenderKeyName(group, address(of));
const groupCipher = (group, of) => (isWasm() ? new wasm.GroupCipher(me.store, group, address(of)) : new groups.GroupCipher(me.store, senderName(group, of)));
const groupBuilder = () => new (isWasm() ? wasm : groups).GroupSessionBuilder(me.store);

// Baileys reads blobs from the network: for the time of a call, from memory.
async function fetching(blob, read) {
  const real = globalThis.fetch;
  globalThis.fetch = async (_, options) => {
    const range = /bytes=(\d+)-(\d*)/.exec(options?.headers?.Range ?? '');
    return new Response(range ? blob.subarray(Number(range[1]), range[2] ? Number(range[2]) : undefined) : blob);
  };
  try { return await read(); } finally { globalThis.fetch = real; }
}
// Baileys opens votes and seals none: the inverse of what it does.
function sealVote(a) {
  const iv = randomBytes(12);
  const info = Buffer.concat([a.pollMsgId, a.pollCreatorJid, a.voterJid, 'Poll Vote', Buffer.from([1])].map((it) => Buffer.from(it)));
  const key = createHmac('sha256', createHmac('sha256', Buffer.alloc(32)).update(un(a.pollEncKey)).digest()).update(info).digest();
  const vote = baileys.proto.Message.PollVoteMessage.encode({ selectedOptions: a.selectedOptions.map(un) }).finish();
  return { encIv: hex(iv), encPayload: hex(baileys.aesEncryptGCM(vote, key, iv, Buffer.from(`${a.pollMsgId}\u0000${a.voterJid}`))) };
}

await serve({
  init(a) {
    me = { backend: a.backend, name: a.name, device: a.device ?? 1, registrationId: a.registrationId ?? js.keyhelper.generateRegistrationId(), identity: a.identityPrivate ? pairOf(un(a.identityPrivate)) : curve.generateKeyPair(), sessions: new Map(), preKeys: new Map(), signed: new Map(), senderKeys: new Map() };
    me.store = isWasm() ? ofWasm() : ofJs();
    return { name: me.name, registrationId: me.registrationId, identityKey: hex(me.identity.pubKey), identityPrivate: hex(me.identity.privKey) };
  },
  gen_bundle(a) {
    const one = a.preKeyId === null ? null : curve.generateKeyPair();
    if (one) me.preKeys.set(a.preKeyId, one);
    const signed = isWasm() ? wasm.generateSignedPreKey(me.identity, a.signedPreKeyId) : js.keyhelper.generateSignedPreKey(me.identity, a.signedPreKeyId);
    const keyPair = { pubKey: Buffer.from(signed.keyPair.pubKey), privKey: Buffer.from(signed.keyPair.privKey) };
    me.signed.set(a.signedPreKeyId, { keyPair, signature: Buffer.from(signed.signature) });
    return { bundle: { registrationId: me.registrationId, deviceId: me.device, identityKey: hex(me.identity.pubKey), preKeyId: a.preKeyId, preKeyPublic: one && hex(one.pubKey), signedPreKeyId: a.signedPreKeyId, signedPreKeyPublic: hex(keyPair.pubKey), signedPreKeySignature: hex(signed.signature) } };
  },
  async process_bundle({ address: of, bundle: b }) {
    const signedPreKey = { keyId: b.signedPreKeyId, publicKey: un(b.signedPreKeyPublic), signature: un(b.signedPreKeySignature) };
    const device = { registrationId: b.registrationId, identityKey: un(b.identityKey), signedPreKey };
    if (b.preKeyPublic) device.preKey = { keyId: b.preKeyId, publicKey: un(b.preKeyPublic) };
    await new (isWasm() ? wasm : js).SessionBuilder(me.store, address(of)).initOutgoing(device);
    return {};
  },
  async encrypt(a) { const { type, body } = await cipher(a.to).encrypt(un(a.plaintext)); return { type: type === 3 ? 3 : 1, body: hex(Buffer.from(body, 'binary')) }; },
  async decrypt(a) { const session = cipher(a.from); return { plaintext: hex(a.type === 3 ? await session.decryptPreKeyWhisperMessage(un(a.body)) : await session.decryptWhisperMessage(un(a.body))) }; },
  delete_session(a) { return { deleted: me.sessions.delete(text(a.address)) }; },
  async create_skdm(a) { return { body: hex((await groupBuilder().create(senderName(a.groupId, me))).serialize()) }; },
  async process_skdm(a) {
    const distribution = isWasm() ? wasm.SenderKeyDistributionMessage.deserialize(un(a.body)) : new groups.SenderKeyDistributionMessage(null, null, null, null, un(a.body));
    await groupBuilder().process(senderName(a.groupId, a.from), distribution);
    return {};
  },
  async group_encrypt(a) { return { body: hex(await groupCipher(a.groupId, me).encrypt(un(a.plaintext))) }; },
  async group_decrypt(a) { return { plaintext: hex(await groupCipher(a.groupId, a.from).decrypt(un(a.body))) }; },
  sign(a) { return { signature: hex((a.backend === 'wasm' ? wasm : curve).calculateSignature(un(a.privateKey), un(a.message))) }; },
  verify(a) { return { valid: (a.backend === 'wasm' ? wasm : curve).verifySignature(un(a.publicKey), un(a.message), un(a.signature)) }; },
  agree(a) { return { shared: hex(curve.calculateAgreement(un(a.publicKey), un(a.privateKey))) }; },
  async media_encrypt(a) {
    const made = await baileys.encryptedStream(un(a.data), a.mediaType, {});
    const enc = await fs.readFile(made.encFilePath);
    await fs.unlink(made.encFilePath);
    return { mediaKey: hex(made.mediaKey), enc: hex(enc), fileSha256: hex(made.fileSha256), fileEncSha256: hex(made.fileEncSha256), fileLength: made.fileLength };
  },
  async media_decrypt(a) {
    const range = a.startByte === undefined ? {} : { startByte: a.startByte, endByte: a.endByte };
    return fetching(un(a.enc), async () => {
      const pieces = [];
      const message = { mediaKey: un(a.mediaKey), directPath: '/v/file.enc' };
      for await (const piece of await baileys.downloadContentFromMessage(message, a.mediaType, range)) pieces.push(piece);
      return { data: hex(Buffer.concat(pieces)) };
    });
  },
  media_retry_encrypt(a) {
    const [ciphertext, iv] = baileys.encryptMediaRetryRequest({ id: a.msgId, remoteJid: '1@s.whatsapp.net', fromMe: false }, un(a.mediaKey), '2@s.whatsapp.net').content[0].content;
    return { ciphertext: hex(ciphertext.content), iv: hex(iv.content) };
  },
  media_retry_decrypt(a) {
    const found = baileys.decryptMediaRetryData({ ciphertext: un(a.ciphertext), iv: un(a.iv) }, un(a.mediaKey), a.msgId);
    return { payload: hex(baileys.proto.MediaRetryNotification.encode(found).finish()) };
  },
  retry_answer(a) { return { payload: hex(baileys.proto.MediaRetryNotification.encode({ stanzaId: a.msgId, directPath: a.path, result: 1 }).finish()) }; },
  // Baileys makes the token of a message whose secret is its context's; the fields are those of a text.
  async reporting_token(a) {
    const { Message } = baileys.proto;
    const text = Message.encode({ conversation: a.text }).finish();
    const message = { conversation: a.text, messageContextInfo: { messageSecret: un(a.secret) } };
    const made = await reporting.getMessageReportingToken(Message.encode(message).finish(), message, { id: a.parent, fromMe: true, remoteJid: a.parentSender, participant: a.author });
    return { token: hex(made.content[0].content), fields: hex(text) };
  },
  event_response_decrypt(a) {
    const event = { eventCreatorJid: a.parentSender, eventMsgId: a.parent, eventEncKey: un(a.secret), responderJid: a.author };
    return { payload: hex(baileys.proto.Message.EventResponseMessage.encode(votes.decryptEventResponse({ encPayload: un(a.encPayload), encIv: un(a.encIv) }, event)).finish()) };
  },
  event_response(a) { return { payload: hex(baileys.proto.Message.EventResponseMessage.encode({ response: a.response, timestampMs: a.at }).finish()) }; },
  // One value of app state as Baileys patches it, in parts, with the state after it.
  async encode_patch(a) {
    const operation = baileys.proto.SyncdMutation.SyncdOperation[a.operation];
    const made = await baileys.encodeSyncdPatch({ type: a.collection, index: a.index, syncAction: { timestamp: a.at, pinAction: { pinned: true } }, apiVersion: 1, operation }, keyIdOf(a), stateOf(a.state), keyOf(a));
    const [{ record }] = made.patch.mutations;
    return { indexTag: hex(record.index.blob), sealed: hex(record.value.blob), snapshotTag: hex(made.patch.snapshotMac), patchTag: hex(made.patch.patchMac), state: ofState(made.state) };
  },
  // The plaintext of such a value.
  sync_action(a) { return { value: hex(baileys.proto.SyncActionData.encode({ index: Buffer.from(JSON.stringify(a.index)), value: { timestamp: a.at, pinAction: { pinned: true } }, padding: Buffer.alloc(0), version: 1 }).finish()) }; },
  async decode_patch(a) {
    const keyId = { id: un(a.keyId) };
    const record = { index: { blob: un(a.indexTag) }, value: { blob: un(a.sealed) }, keyId };
    const patch = { version: { version: a.version }, mutations: [{ operation: baileys.proto.SyncdMutation.SyncdOperation[a.operation], record }], snapshotMac: un(a.snapshotTag), patchMac: un(a.patchTag), keyId };
    const seen = [];
    const after = await baileys.decodeSyncdPatch(patch, a.collection, stateOf(a.state), keyOf(a), (found) => seen.push(found.index), true);
    return { indices: seen, hash: hex(after.hash) };
  },
  poll_vote_encrypt: sealVote,
  poll_vote_decrypt(a) {
    const poll = { pollCreatorJid: a.pollCreatorJid, pollMsgId: a.pollMsgId, pollEncKey: un(a.pollEncKey), voterJid: a.voterJid };
    return { selectedOptions: votes.decryptPollVote({ encPayload: un(a.encPayload), encIv: un(a.encIv) }, poll).selectedOptions.map(hex) };
  },
});
