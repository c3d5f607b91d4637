//! Connections that are cut at any point of an exchange.
use std::iter::zip;

use tests::{End, Way, any_resource, new_database, requests, sql};

use super::{Attempt, Fragile, Trial, one_of_each, report, until};

/// Where to cut the bytes of one direction: before the last byte of each message, and after it.
fn cuts(bytes: &[u8], length: impl Fn(&[u8]) -> Option<usize>) -> Vec<usize> {
    let mut cuts = vec![0];
    let mut at = 0;
    while let Some(length) = bytes.get(at..).and_then(&length) {
        cuts.extend([at + length - 1, at + length]);
        at += length;
    }
    cuts
}

/// The length of the PostgreSQL message that starts here.
fn message(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(bytes.get(1..5)?.try_into().unwrap());
    Some(1 + usize::try_from(length).unwrap())
}

/// The length of the TLS record that starts here.
fn record(bytes: &[u8]) -> Option<usize> {
    let length = u16::from_be_bytes(bytes.get(3..5)?.try_into().unwrap());
    Some(5 + usize::from(length))
}

/// Cuts the exchange of each request at every point.
fn sweep(fragile: &Fragile, kind: &str, length: fn(&[u8]) -> Option<usize>) {
    for request in &requests() {
        let trial = Trial::new(fragile);
        trial.send(request).expect_success();
        fragile.proxy.passed();
        trial.send(request).expect_success();
        let passed = fragile.proxy.passed();
        for way in [Way::Up, Way::Down] {
            let mut attempts = Vec::new();
            let ends = [End::Closed, End::Reset].into_iter().cycle();
            for (cut, end) in zip(cuts(&passed[way as usize], length), ends) {
                fragile.proxy.cut(way, cut, end);
                let attempt = trial.send(request);
                attempt.expect_success_of_repeated();
                attempts.push(attempt);
                fragile.proxy.pass();
                if !request.repeats() {
                    // A new connection, so that the next one is cut at the same point; the current
                    // one may close while it is used.
                    until("a new connection", || trial.send(request).done());
                }
            }
            let places = attempts.len();
            let fault = format!("{kind}: {} cut {way:?} in {places} places", request.name);
            report(&fault, &attempts, &trial.stored());
        }
    }
}

#[test]
fn a_cut_anywhere_in_an_exchange_does_nothing_twice_and_loses_nothing_acknowledged() {
    sweep(&plain(), "plain", message);
}

/// Without TLS, so that each message can be cut.
fn plain() -> Fragile {
    let [url, functions_url] = new_database();
    let (base, _) = functions_url.split_once('?').unwrap();
    Fragile::on(&url, &format!("{base}?sslmode=disable"))
}

/// A request is one message in one TLS record: the server either receives and commits it, or never
/// sees it.
#[test]
fn a_function_that_vanishes_in_a_request_holds_no_lock() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let resource = any_resource();
    let update = resource.update().example();
    let mut attempts = Vec::new();
    trial.send(&update).expect_success();
    fragile.proxy.passed();
    trial.send(&update).expect_success();
    let [up, _] = fragile.proxy.passed();
    assert_eq!(record(&up), Some(up.len()), "one record");
    for cut in cuts(&up, record) {
        fragile.proxy.cut(Way::Up, cut, End::Vanished);
        let attempt = trial.send(&update);
        if cut < up.len() {
            attempt.expect_failure();
        }
        attempts.push(attempt);
        sql(&fragile.url, &format!("SELECT id FROM {} FOR UPDATE NOWAIT", resource.table));
        fragile.proxy.pass();
        // A new connection for the next cut.
        until("a new connection", || trial.send(&update).done());
    }
    report("vanished in a request", &attempts, &trial.stored());
}

#[test]
fn a_cut_anywhere_in_an_encrypted_exchange_does_nothing_twice() {
    sweep(&Fragile::new(), "TLS", record);
}

#[test]
fn a_connection_that_is_cut_while_it_is_made_is_made_again() {
    let fragile = Fragile::new();
    let resource = any_resource();
    for operation in [resource.list(), resource.create()] {
        let request = operation.example().without_key();
        let trial = Trial::new(&fragile);
        fragile.proxy.end(End::Closed);
        fragile.proxy.passed();
        trial.send(&request).expect_success();
        let passed = fragile.proxy.passed();
        for way in [Way::Up, Way::Down] {
            let bytes = passed[way as usize].len();
            let attempts: Vec<_> = (0..bytes)
                .step_by(bytes / 24)
                .map(|cut| {
                    fragile.proxy.end(End::Closed);
                    fragile.proxy.cut_next(way, cut, End::Reset);
                    trial.send(&request)
                })
                .collect();
            attempts.iter().for_each(Attempt::expect_success_of_repeated);
            let (name, places) = (&request.name, attempts.len());
            let fault = format!("connecting for {name} cut {way:?} in {places} places");
            report(&fault, &attempts, &trial.stored());
        }
    }
}

#[test]
fn an_answer_that_never_arrives_is_503_in_time_and_stored_once() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    fragile.proxy.cut(Way::Down, 0, End::Vanished);
    let attempts = trial.send_all(&one_of_each());
    trial.expect("the answer vanishes", &attempts, Attempt::expect_failure);
    let is_keyed = |attempt: &&Attempt| attempt.request.operation.takes("idempotency-key");
    let keyed: Vec<_> = attempts.iter().filter(is_keyed).cloned().collect();
    for attempt in &keyed {
        trial.insist(attempt);
    }
    report("and each keyed create again", &keyed, &trial.stored());
}
