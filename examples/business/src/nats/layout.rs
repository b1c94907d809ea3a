//! Streams, buckets and consumers: what is stored where, and with how many replicas.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, pull};
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, Stream};
use futures_util::future::try_join_all;

use crate::Outcome;
use crate::worker::BATCH;

/// The streams and buckets of one business.
pub(super) struct Layout {
    prefix: String,
    /// Records: the account, and each conversation with the results of its messages.
    pub(super) records: Store,
    /// The application's rows, each under the name of its message.
    pub(super) inbox: Store,
    /// Device lists of customers, and the business's published list and bundles.
    pub(super) lists: Store,
    /// The queue of messages for the business.
    pub(super) inbound: Stream,
    /// Every message that was ever sent to customers.
    pub(super) sent: Stream,
    /// Messages that were given up.
    pub(super) buried: Stream,
    pub(super) first: Consumer<pull::Config>,
    pub(super) rest: Consumer<pull::Config>,
    pub(super) outbound: Consumer<pull::Config>,
    pub(super) bundles: Consumer<pull::Config>,
}

impl Layout {
    pub(super) async fn open(context: &Context, prefix: &str, lease: Duration) -> Outcome<Self> {
        let bucket = async |name: &str| bucket(context, format!("{prefix}-{name}")).await;
        let queue = RetentionPolicy::WorkQueue;
        let inbound = stream(context, prefix, "in", &["first", "rest"], queue).await?;
        let given = stream(context, prefix, "bundles", &["bundle"], queue).await?;
        let sent = stream(context, prefix, "out", &["out"], RetentionPolicy::Limits).await?;
        let buried = stream(context, prefix, "buried", &["buried"], RetentionPolicy::Limits).await?;
        // One batch of first messages at a time: each changes the account's single record.
        let one = i64::try_from(BATCH)?;
        let consumer = async |stream: &Stream, subject: &str, most: i64, wait: Duration| {
            let config = pull::Config {
                durable_name: Some(subject.into()),
                filter_subject: format!("{prefix}.{subject}"),
                ack_policy: AckPolicy::Explicit,
                ack_wait: wait,
                max_ack_pending: most,
                ..pull::Config::default()
            };
            Outcome::Ok(stream.get_or_create_consumer(subject, config).await?)
        };
        Ok(Self {
            prefix: prefix.into(),
            records: bucket("records").await?,
            inbox: bucket("inbox").await?,
            lists: bucket("lists").await?,
            first: consumer(&inbound, "first", one, lease).await?,
            rest: consumer(&inbound, "rest", 100_000, lease).await?,
            outbound: consumer(&sent, "out", 100_000, FETCHED).await?,
            bundles: consumer(&given, "bundle", 100_000, FETCHED).await?,
            inbound,
            sent,
            buried,
        })
    }

    pub(super) fn subject(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    pub(super) async fn remove(&self, context: &Context) -> Outcome<()> {
        for name in ["in", "bundles", "out", "buried"] {
            context.delete_stream(format!("{}-{name}", self.prefix)).await?;
        }
        for name in ["records", "inbox", "lists"] {
            context.delete_key_value(format!("{}-{name}", self.prefix)).await?;
        }
        Ok(())
    }
}

async fn stream(
    context: &Context,
    prefix: &str,
    name: &str,
    subjects: &[&str],
    retention: RetentionPolicy,
) -> Outcome<Stream> {
    let config = Config {
        name: format!("{prefix}-{name}"),
        subjects: subjects.iter().map(|subject| format!("{prefix}.{subject}")).collect(),
        retention,
        num_replicas: REPLICAS,
        duplicate_window: Duration::from_secs(120),
        ..Config::default()
    };
    Ok(context.get_or_create_stream(config).await?)
}

/// Creates a bucket: a stream with one subject for each key (NATS architecture decision 8). Written out here because
/// the servers of Debian 12 do not answer as the client's own function expects.
async fn bucket(context: &Context, bucket: String) -> Outcome<Store> {
    let config = Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: REPLICAS,
        duplicate_window: Duration::from_secs(120),
        ..Config::default()
    };
    context.get_or_create_stream(config).await?;
    Ok(context.get_key_value(bucket).await?)
}

/// Returns every message in a stream, in order.
pub(super) async fn read_all(stream: &Stream) -> Outcome<Vec<Vec<u8>>> {
    let state = stream.get_info().await?.state;
    let mut messages = Vec::new();
    let mut next = state.first_sequence;
    while next <= state.last_sequence && state.messages > 0 {
        let end = state.last_sequence.min(next + 127);
        let read = try_join_all((next..=end).map(|sequence| stream.get_raw_message(sequence))).await?;
        messages.extend(read.into_iter().map(|message| message.payload.to_vec()));
        next = end + 1;
    }
    Ok(messages)
}

/// Replicas: one server of three may be lost.
const REPLICAS: usize = 3;
/// Time after which a fetched message that was not acknowledged is delivered again.
const FETCHED: Duration = Duration::from_secs(10);
