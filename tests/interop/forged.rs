//! Messages assembled with prost by an attacker who holds no key: their tags do not verify.

use bisik::interop::signal::PublicKey;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct WhisperFields {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub ratchet_key: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "2")]
    pub counter: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub previous_counter: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub body: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PreKeyFields {
    #[prost(uint32, optional, tag = "5")]
    pub registration_id: Option<u32>,
    #[prost(uint32, optional, tag = "1")]
    pub pre_key_id: Option<u32>,
    #[prost(uint32, optional, tag = "6")]
    pub signed_pre_key_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub base_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub identity_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub message: Option<Vec<u8>>,
}

/// A message with a tag of zeros.
pub fn whisper(ratchet_key: &PublicKey, counter: u32, previous_counter: u32, body: usize) -> Vec<u8> {
    let fields = WhisperFields {
        ratchet_key: Some(ratchet_key.to_bytes().to_vec()),
        counter: Some(counter),
        previous_counter: Some(previous_counter),
        body: Some(vec![0; body]),
    };
    whole(0x33, &fields.encode_to_vec())
}

pub fn whole(version: u8, fields: &[u8]) -> Vec<u8> {
    [&[version], fields, &[0; 8]].concat()
}
