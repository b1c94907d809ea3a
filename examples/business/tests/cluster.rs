//! The same promises on three servers, of which one may be lost.
//!
//! Needs `etcd`: `cargo test -p business -- --include-ignored`.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each file of tests uses a part of it")]
mod deployment;

use std::time::Duration;

use business::cluster::Cluster;
use business::etcd::Etcd;
use business::hex;
use business::place::Place;
use business::points::{Point, Points};
use deployment::Deployment;

fn open(cluster: &Cluster) -> Deployment {
    let prefix = format!("test-{}", hex(&rand::random::<[u8; 4]>()));
    Deployment::new(Place::Etcd { url: cluster.urls(), prefix }, Duration::from_millis(300))
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

fn careless(deployment: &Deployment) -> Etcd {
    let Place::Etcd { url, prefix } = &deployment.place else { panic!("not on servers") };
    Etcd::open(url, prefix, deployment.lease).unwrap().without_compare_and_swap()
}

#[test]
#[ignore = "starts three servers"]
fn answers_that_were_made_and_not_handed_over_are_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    open(&cluster).stop_between_answers();
}

#[test]
#[ignore = "starts three servers"]
fn a_message_that_comes_again_late_is_known_and_not_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    open(&cluster).come_again_late();
}

/// A server takes 128 operations at once. Blocks go ahead, and a worker that stops there leaves nothing that is read.
#[test]
#[ignore = "starts three servers"]
fn a_batch_that_is_larger_than_a_transaction_is_stored_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(directory.path()).unwrap();
    let deployment = open(&cluster);
    let mut customers = deployment.customers(40, 2);
    for _ in 0..2 {
        customers.ask_all().unwrap();
        let mut worker = deployment.worker(deployment.engine());
        worker.points = Points::stop_at(Point::BlocksWritten, 0);
        while worker.points.is_ahead() {
            let _stopped = worker.turn();
        }
        deployment.empty();
    }
    let tally = customers.finish(Duration::ZERO).unwrap();
    assert_eq!((tally.once, tally.twice, tally.unreadable), (80, 0, 0));
    assert!(deployment.audit(40, 2).kept());
}

#[test]
#[ignore = "starts three servers"]
fn a_server_that_dies_and_comes_back_costs_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(directory.path()).unwrap();
    let deployment = open(&cluster);
    let mut customers = deployment.customers(4, 4);
    for index in 0..3 {
        customers.ask_all().unwrap();
        cluster.kill(index).unwrap();
        deployment.empty();
        cluster.restart(index).unwrap();
    }
    customers.ask_all().unwrap();
    deployment.empty();
    cluster.all_alive().unwrap();
    let tally = customers.finish(Duration::ZERO).unwrap();
    assert_eq!((tally.once, tally.twice, tally.unreadable), (16, 0, 0));
    assert!(deployment.audit(4, 4).kept());
}
