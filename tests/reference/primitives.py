"""Section 1 of docs/spec/conventions.md: the primitives of bisik-1.

For tests only: it is slow, runs in variable time and wipes nothing.
"""

import hashlib
import hmac
from struct import pack, unpack

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from kyber_py.ml_kem import ML_KEM_768


class Refused(Exception):
    """A value that MUST be refused. The argument is the reason, one of the words of appendix A."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)


def otherwise(reason, check, value):
    """`check(value)`, with another reason for the refusal."""
    try:
        return check(value)
    except Refused:
        raise Refused(reason) from None


# 1.1 Curve25519

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
U_OF_ORDER_8 = (0x00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0,
                0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f)
U_OF_SMALL_ORDER = {0, 1, P - 1, *U_OF_ORDER_8}
Y_OF_SMALL_ORDER = {0, 1, P - 1} | {(u - 1) * pow(u + 1, -1, P) % P for u in U_OF_ORDER_8}


def is_square(a):
    return pow(a, (P - 1) // 2, P) in (0, 1)


def x25519_public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def x25519_decode(key):
    u = int.from_bytes(key, "little")
    require(u < P, "non-canonical")                                                                       # P-1.1
    require(u not in U_OF_SMALL_ORDER, "low-order")                                                       # P-1.2
    return key


def x25519_check(key):
    u = int.from_bytes(x25519_decode(key), "little")
    require(is_square(u**3 + 486662 * u**2 + u), "non-canonical")                                         # P-1.3
    return key


def x25519_identity_check(key):                                                                          # P-2.3
    """Of prime order too: the ladder with the order of the subgroup ends in the neutral element."""
    u = int.from_bytes(x25519_check(key), "little")
    require(ladder(Q, u)[1] == 0, "mixed-order")
    return key


def ladder(n, u):
    """n times the point with this u, as X and Z (RFC 7748, section 5)."""
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in f"{n:b}":
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % P, c * b % P
        x3, z3 = (da + cb)**2 % P, u * (da - cb)**2 % P
        aa, bb = a * a % P, b * b % P
        x2, z2 = aa * bb % P, (aa - bb) * (aa + 121665 * (aa - bb)) % P
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
    return x2, z2


def dh(secret, public):
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise Refused("low-order") from None                                                              # P-1.4


def ed25519_public(secret):
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def ed25519_check(key):
    y = int.from_bytes(key, "little") % 2**255
    require(y % P not in Y_OF_SMALL_ORDER, "low-order")
    require(y < P and is_square((y**2 - 1) * pow(D * y**2 + 1, -1, P)), "non-canonical")
    return key


def sign(secret, message):
    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def verify(public, message, signature):                                                                   # P-1.5
    otherwise("bad-signature", ed25519_check, public)
    otherwise("bad-signature", ed25519_check, signature[:32])
    s = int.from_bytes(signature[32:], "little")
    require(s < Q, "bad-signature")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little")
    a, r = edwards_decode(public), edwards_decode(signature[:32])
    left, right = edwards_times(8 * s, BASE), edwards_sum(edwards_times(8, r), edwards_times(8 * k, a))
    require(edwards_encode(left) == edwards_encode(right), "bad-signature")


# Edwards points are (X, Y, Z) with x = X / Z and y = Y / Z. The formula for sums holds for all of them: D is no square.

NEUTRAL = (0, 1, 1)


def edwards_decode(key):
    """Of a key that `ed25519_check` has accepted, or of the encoding of a point of small order."""
    y, sign = int.from_bytes(key, "little") % 2**255, key[31] >> 7
    square = (y**2 - 1) * pow(D * y**2 + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x**2 % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (-x if x % 2 != sign else x) % P, y, 1


def edwards_encode(point):
    x, y, z = point
    x, y = (c * pow(z, -1, P) % P for c in (x, y))
    return (y | x % 2 << 255).to_bytes(32, "little")


def edwards_sum(one, other):
    (x1, y1, z1), (x2, y2, z2) = one, other
    a, c, d = z1 * z2 % P, x1 * x2 % P, y1 * y2 % P
    b, e = a * a % P, D * c * d % P
    f, g = b - e, b + e
    return a * f * ((x1 + y1) * (x2 + y2) - c - d) % P, a * g * (d + c) % P, f * g % P


def edwards_times(n, point):
    result = NEUTRAL
    for bit in f"{n:b}":
        result = edwards_sum(result, result)
        if bit == "1":
            result = edwards_sum(result, point)
    return result


BASE = edwards_decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


# 1.2 Hashing and key derivation

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.digest(key, b"".join(parts), "sha256")


def extract(salt, *parts):
    return mac(salt, *parts)


def expand(prk, info, length):
    okm, block = b"", b""
    while len(okm) < length:
        block = mac(prk, block, info, bytes([len(okm) // 32 + 1]))
        okm += block
    return okm[:length]


# 1.3 Authenticated encryption

def chacha20(key, counter_and_nonce, data):
    return Cipher(algorithms.ChaCha20(key, counter_and_nonce), None).encryptor().update(data)


def stream(key, nonce, data):
    return chacha20(mac(key, b"\x01", nonce), bytes(16), data)


def tag(key, *parts):
    return mac(key, b"\x02", *parts)[:16]


def fits(claimed, right):
    return hmac.compare_digest(claimed, right)


def seal(key, nonce, ad, plaintext):
    ciphertext = stream(key, nonce, plaintext)
    return ciphertext + tag(key, pack(">Q", len(ad)), ad, nonce, ciphertext)


def unseal(key, nonce, ad, sealed):
    ciphertext = sealed[:-16]
    require(fits(sealed[-16:], tag(key, pack(">Q", len(ad)), ad, nonce, ciphertext)), "rejected")         # P-1.6
    return stream(key, nonce, ciphertext)


def xchacha20poly1305(key, nonce):
    """HChaCha20 is words 0-3 and 12-15 of ChaCha20's block without its last addition, which is undone here."""
    block = unpack("<16I", chacha20(key, nonce[:16], bytes(64)))
    initial = unpack("<8I", b"expand 32-byte k" + nonce[:16])
    subkey = pack("<8I", *((word - start) % 2**32 for word, start in zip(block[:4] + block[12:], initial)))
    return ChaCha20Poly1305(subkey), bytes(4) + nonce[16:]


def xchacha20poly1305_seal(key, nonce, ad, plaintext):
    cipher, nonce = xchacha20poly1305(key, nonce)
    return cipher.encrypt(nonce, plaintext, ad)


def xchacha20poly1305_open(key, nonce, ad, sealed):
    cipher, nonce = xchacha20poly1305(key, nonce)
    try:
        return cipher.decrypt(nonce, sealed, ad)
    except InvalidTag:
        raise Refused("rejected") from None


# 1.4 ML-KEM-768

def kem_public(seed):
    return ML_KEM_768.key_derive(seed)[0]


def kem_check(key):                                                                                       # P-1.7
    pairs = (unpack("<I", key[i:i + 3] + b"\0")[0] for i in range(0, 1152, 3))
    require(all(pair % 4096 < 3329 and pair >> 12 < 3329 for pair in pairs), "non-canonical")
    return key


def encapsulate(key, randomness):
    shared, ciphertext = ML_KEM_768._encaps_internal(key, randomness)
    return ciphertext, shared


def decapsulate(seed, ciphertext):
    return ML_KEM_768.decaps(ML_KEM_768.key_derive(seed)[1], ciphertext)


# ML-KEM-768 in pieces (FIPS 203, algorithms 14 and 17): the key is header || vector, where header = rho || H(key); the
# ciphertext is ct1 || ct2, and ct1 needs the header alone.

def kem_split(key):
    vector, rho = key[:1152], key[1152:]
    return rho + hashlib.sha3_256(key).digest(), vector


def kem_join(header, vector):
    """The key, if the vector belongs to the header and every value is reduced; otherwise `None`."""
    key = vector + header[:32]
    try:
        kem_check(key)
    except Refused:
        return None
    return key if hashlib.sha3_256(key).digest() == header[32:] else None


def kem_first(header, m):
    """(ct1, shared secret)"""
    shared, r = ML_KEM_768._G(m + header[32:])
    matrix = ML_KEM_768._generate_matrix_from_seed(header[:32], transpose=True)
    y, n = ML_KEM_768._generate_error_vector(r, 2, 0)
    e1, _ = ML_KEM_768._generate_error_vector(r, 2, n)
    return ((matrix @ y.to_ntt()).from_ntt() + e1).compress(10).encode(10), shared


def kem_second(header, vector, m):
    """ct2"""
    _, r = ML_KEM_768._G(m + header[32:])
    t = ML_KEM_768.M.decode_vector(vector, 3, 12, is_ntt=True)
    y, _ = ML_KEM_768._generate_error_vector(r, 2, 0)
    e2, _ = ML_KEM_768._generate_polynomial(r, 2, 6)
    mu = ML_KEM_768.R.decode(m, 1).decompress(1)
    return (t.dot(y.to_ntt()).from_ntt() + e2 + mu).compress(4).encode(4)
