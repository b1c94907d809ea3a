//! The same promises on three servers, where no transaction covers two records.
//!
//! Needs `nats-server`: `cargo test -p business -- --include-ignored`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each file of tests uses a part of it")]
mod deployment;

use std::time::Duration;

use business::cluster::Cluster;
use business::hex;
use business::nats::Nats;
use business::place::Place;
use business::points::Point;
use deployment::Deployment;

fn open(cluster: &Cluster) -> Deployment {
    let prefix = format!("test-{}", hex(&rand::random::<[u8; 4]>()));
    Deployment::new(Place::Nats { url: cluster.url(), prefix }, Duration::from_millis(300))
}

#[test]
#[ignore = "starts three servers"]
fn a_worker_that_stops_at_any_point_loses_nothing_and_doubles_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    std::thread::scope(|scope| {
        for point in Point::ALL {
            let cluster = &cluster;
            scope.spawn(move || open(cluster).stop_and_go_on(point, 0));
        }
    });
}

#[test]
#[ignore = "starts three servers"]
fn a_worker_that_was_overtaken_computes_again_and_nothing_happens_twice() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    for rounds in [1, 2] {
        open(&cluster).overtake(rounds);
    }
}

#[test]
#[ignore = "starts three servers"]
fn the_audit_notices_workers_without_compare_and_swap() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    let deployment = open(&cluster);
    deployment.overtake_without_compare_and_swap(|| Box::new(careless(&deployment)));
}

fn careless(deployment: &Deployment) -> Nats {
    let Place::Nats { url, prefix } = &deployment.place else { panic!("not on servers") };
    Nats::open(url, prefix, deployment.lease).unwrap().without_compare_and_swap()
}

#[test]
#[ignore = "starts three servers"]
fn an_unsent_answer_is_kept_when_another_is_confirmed() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    open(&cluster).stop_between_answers();
}
