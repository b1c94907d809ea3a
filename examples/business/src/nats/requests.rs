//! Requests to the servers. Each is answered by a majority, or retried.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{Consumer, pull};
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::{Context, Message};
use futures_util::StreamExt;

use super::layout::Layout;
use crate::engine::{Lane, Mail};
use crate::{Outcome, hex};

/// Compare-and-swap. Returns the new revision, or `None` if another worker was faster.
pub(super) async fn swap(bucket: &Store, key: &str, bytes: Vec<u8>, expected: u64) -> Outcome<Option<u64>> {
    match bucket.update(key, bytes.into(), expected).await {
        Ok(revision) => Ok(Some(revision)),
        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the newest entry of a key from the leader: its revision and its bytes.
pub(super) async fn newest(bucket: &Store, key: &str) -> Outcome<Option<(u64, Vec<u8>)>> {
    match bucket.stream.get_last_raw_message_by_subject(&format!("{}{key}", bucket.prefix)).await {
        Ok(message) => Ok(Some((message.sequence, message.payload.to_vec()))),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Publishes under a name that the servers accept once, and waits until a majority has stored it.
pub(super) async fn publish(context: &Context, subject: String, id: &str, bytes: Vec<u8>) -> Outcome<()> {
    context.send_publish(subject, PublishMessage::build().payload(bytes.into()).message_id(id)).await?.await?;
    Ok(())
}

pub(super) async fn queue(context: &Context, layout: &Layout, id: &str, mail: &Mail) -> Outcome<()> {
    let lane = if Lane::of(mail) == Lane::First { "first" } else { "rest" };
    publish(context, layout.subject(lane), id, postcard::to_stdvec(mail)?).await
}

/// Publishes a bundle for a customer to take.
pub(super) async fn give(context: &Context, layout: &Layout, bundle: &[u8]) -> Outcome<()> {
    publish(context, layout.subject("bundle"), &hex(&rand::random::<[u8; 16]>()), bundle.to_vec()).await
}

/// Returns the messages that are available now.
pub(super) async fn fetch(consumer: &Consumer<pull::Config>, most: usize) -> Outcome<Vec<Message>> {
    collect(consumer.fetch().max_messages(most).messages().await?).await
}

/// Returns the messages that are available, or arrive within `time`.
pub(super) async fn fetch_for(consumer: &Consumer<pull::Config>, most: usize, time: Duration) -> Outcome<Vec<Message>> {
    collect(consumer.batch().max_messages(most).expires(time).messages().await?).await
}

/// Collects a batch. If it ends with an error, returns the messages before it.
async fn collect(mut messages: pull::Batch) -> Outcome<Vec<Message>> {
    let mut fetched = Vec::new();
    while let Some(message) = messages.next().await {
        match message {
            Ok(message) => fetched.push(message),
            Err(_) if !fetched.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(fetched)
}

/// Retries while servers are unavailable or elect a leader.
pub(super) async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Outcome<T>) -> Outcome<T> {
    let start = Instant::now();
    loop {
        match attempt().await {
            Err(_) if start.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(200)).await,
            outcome => return outcome,
        }
    }
}

/// How long servers may be unavailable.
const PATIENCE: Duration = Duration::from_secs(60);
