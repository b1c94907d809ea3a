//! What OpenMLS asks of an application: cryptography, randomness and a store.
//!
//! Its own providers take HPKE from a crate under the MPL; this one takes everything from the provider of mls-rs. The
//! suite is X-Wing with ChaCha20-Poly1305, SHA-256 and Ed25519. A private key of X-Wing is the seed of its parts.

use mls_rs_core::crypto::{
    CipherSuite, CipherSuiteProvider, HpkeCiphertext as TheirCiphertext, HpkeContextR, HpkeContextS, HpkePublicKey,
    HpkeSecretKey,
};
use mls_rs_crypto_awslc::{AwsLcCipherSuite, AwsLcCipherSuiteBuilder, AwsLcHash, MlKem, Sha3};
use mls_rs_crypto_traits::{AeadId, KdfId};
use openmls_memory_storage::MemoryStorage;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use tls_codec::SecretVLBytes;

pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;

/// One member's.
pub(crate) struct Provider {
    crypto: Crypto,
    storage: MemoryStorage,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self { crypto: Crypto::new(), storage: MemoryStorage::default() }
    }

    /// Another one that has stored the same.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        copy.storage.values.write().unwrap().clone_from(&self.storage.values.read().unwrap());
        copy
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Crypto {
        &self.crypto
    }
}

/// The suite in AWS-LC.
pub(crate) struct Crypto(AwsLcCipherSuite);

impl Crypto {
    fn new() -> Self {
        let classical = CipherSuite::CURVE25519_CHACHA;
        let hash = AwsLcHash::new_sha3(Sha3::SHA3_256).unwrap();
        let builder = AwsLcCipherSuiteBuilder::new().fallback_cipher_suite(classical);
        let (kdf, aead) = (KdfId::HkdfSha256, AeadId::Chacha20Poly1305);
        let builder = builder.combined_hpke(classical, MlKem::MlKem768, kdf, aead, hash);
        Self(builder.build(CipherSuite::new(SUITE.into())).unwrap())
    }

    /// The parts of a private key.
    fn keys(&self, seed: &[u8]) -> Result<(HpkeSecretKey, HpkePublicKey), CryptoError> {
        self.0.kem_derive(seed).map_err(|_| CryptoError::InvalidLength)
    }
}

fn sha256(hash: HashType) -> Result<(), CryptoError> {
    if hash == HashType::Sha2_256 { Ok(()) } else { Err(CryptoError::UnsupportedHashAlgorithm) }
}

fn chacha(aead: AeadType) -> Result<(), CryptoError> {
    if aead == AeadType::ChaCha20Poly1305 { Ok(()) } else { Err(CryptoError::UnsupportedAeadAlgorithm) }
}

fn ed25519(scheme: SignatureScheme) -> Result<(), CryptoError> {
    if scheme == SignatureScheme::ED25519 { Ok(()) } else { Err(CryptoError::UnsupportedSignatureScheme) }
}

fn x_wing(config: &HpkeConfig) -> Result<(), CryptoError> {
    match config {
        HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305) => Ok(()),
        HpkeConfig(..) => Err(CryptoError::UnsupportedCiphersuite),
    }
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        if suite == SUITE { Ok(()) } else { Err(CryptoError::UnsupportedCiphersuite) }
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![SUITE]
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        sha256(hash)?;
        let extracted = self.0.kdf_extract(salt, ikm).map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(extracted.as_slice().into())
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        sha256(hash)?;
        Ok(self.0.mac(key, message).map_err(|_| CryptoError::CryptoLibraryError)?.into())
    }

    fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
        sha256(hash)?;
        let expanded = self.0.kdf_expand(prk, info, len).map_err(|_| CryptoError::HkdfOutputLengthInvalid)?;
        Ok(expanded.as_slice().into())
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        sha256(hash)?;
        self.0.hash(data).map_err(|_| CryptoError::CryptoLibraryError)
    }

    fn aead_encrypt(
        &self,
        aead: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        chacha(aead)?;
        self.0.aead_seal(key, data, Some(associated), nonce).map_err(|_| CryptoError::CryptoLibraryError)
    }

    fn aead_decrypt(
        &self,
        aead: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        chacha(aead)?;
        let opened = self.0.aead_open(key, sealed, Some(associated), nonce);
        Ok(opened.map_err(|_| CryptoError::AeadDecryptionError)?.to_vec())
    }

    fn signature_key_gen(&self, scheme: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        ed25519(scheme)?;
        let (secret, public) = self.0.signature_key_generate().map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok((secret.as_bytes().to_vec(), public.to_vec()))
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        ed25519(scheme)?;
        self.0.verify(&public.to_vec().into(), signature, data).map_err(|_| CryptoError::InvalidSignature)
    }

    fn sign(&self, scheme: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        ed25519(scheme)?;
        self.0.sign(&key.to_vec().into(), data).map_err(|_| CryptoError::SigningError)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        to: &[u8],
        info: &[u8],
        associated: &[u8],
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        x_wing(&config)?;
        let sealed = self.0.hpke_seal(&to.to_vec().into(), info, Some(associated), plaintext);
        let TheirCiphertext { kem_output, ciphertext } = sealed.map_err(|_| CryptoError::HpkeEncryptionError)?;
        Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        sealed: &HpkeCiphertext,
        seed: &[u8],
        info: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        x_wing(&config)?;
        let (secret, public) = self.keys(seed)?;
        let HpkeCiphertext { kem_output, ciphertext } = sealed;
        let sealed =
            TheirCiphertext { kem_output: kem_output.as_slice().to_vec(), ciphertext: ciphertext.as_slice().to_vec() };
        let opened = self.0.hpke_open(&sealed, &secret, &public, info, Some(associated));
        Ok(opened.map_err(|_| CryptoError::HpkeDecryptionError)?.to_vec())
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        to: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        x_wing(&config)?;
        let set_up = self.0.hpke_setup_s(&to.to_vec().into(), info);
        let (output, sender) = set_up.map_err(|_| CryptoError::SenderSetupError)?;
        let exported = sender.export(context, length).map_err(|_| CryptoError::ExporterError)?;
        Ok((output, exported.to_vec().into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        output: &[u8],
        seed: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        x_wing(&config)?;
        let (secret, public) = self.keys(seed)?;
        let receiver = self.0.hpke_setup_r(output, &secret, &public, info);
        let receiver = receiver.map_err(|_| CryptoError::ReceiverSetupError)?;
        let exported = receiver.export(context, length).map_err(|_| CryptoError::ExporterError)?;
        Ok(exported.to_vec().into())
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, seed: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        x_wing(&config)?;
        let (_, public) = self.keys(seed)?;
        Ok(HpkeKeyPair { private: seed.into(), public: public.to_vec() })
    }
}

impl OpenMlsRand for Crypto {
    type Error = CryptoError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut array = [0; N];
        self.0.random_bytes(&mut array).map_err(|_| CryptoError::InsufficientRandomness)?;
        Ok(array)
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, CryptoError> {
        self.0.random_bytes_vec(length).map_err(|_| CryptoError::InsufficientRandomness)
    }
}

/// A member's signing key, beside its public key.
pub(crate) struct SigningKey {
    crypto: Crypto,
    secret: Vec<u8>,
    pub(crate) public: Vec<u8>,
}

impl SigningKey {
    pub(crate) fn new() -> Self {
        let crypto = Crypto::new();
        let (secret, public) = crypto.signature_key_gen(SignatureScheme::ED25519).unwrap();
        Self { crypto, secret, public }
    }
}

impl Signer for SigningKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signed = self.crypto.sign(SignatureScheme::ED25519, payload, &self.secret);
        signed.map_err(|_| SignerError::SigningError)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
