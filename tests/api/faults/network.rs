//! Networks that are slow, broken, stalled or absent.
use std::thread;
use std::time::Duration;

use tests::{End, Request, Session, any_resource, resources};

use super::{Attempt, Fragile, Trial, each, one_of_each, pause, report, until};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_request_over_a_slow_network_takes_one_round_trip() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    fragile.proxy.delay(ms(300));
    let attempts = each(|request| {
        // A connection that was idle during the other functions' requests is checked first.
        trial.send(request).expect_success();
        let before = fragile.proxy.round_trips();
        let attempt = trial.send(request);
        attempt.expect_success();
        assert_eq!(fragile.proxy.round_trips(), before + 1, "{attempt}");
        assert!(attempt.took >= ms(600), "{attempt}");
        attempt
    });
    report("300 ms each way", &attempts, &trial.stored());

    fragile.proxy.end(End::Closed);
    let attempts = trial.send_all(&one_of_each());
    trial.expect("300 ms each way, and a new connection", &attempts, Attempt::expect_success);
}

#[test]
fn a_connection_that_breaks_between_requests_is_replaced_unseen() {
    let fragile = Fragile::new();
    for end in [End::Closed, End::Reset] {
        between_requests(&Trial::new(&fragile), end);
    }
}

/// Ends the connection before each request, which must not fail.
pub(super) fn between_requests(trial: &Trial, end: End) {
    let attempts = each(|request| {
        trial.fragile.proxy.end(end);
        pause(ms(100));
        trial.send(request)
    });
    trial.expect(&format!("{end:?} between requests"), &attempts, Attempt::expect_success);
}

/// Sends a request that waits for a lock, and causes `fault` meanwhile.
pub(super) fn in_flight(trial: &Trial, request: &Request, fault: impl FnOnce()) -> Attempt {
    let session = Session::open(&trial.fragile.url);
    let tables: Vec<_> = resources().iter().map(|resource| resource.table.as_str()).collect();
    session.run(&format!("BEGIN; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", ")));
    thread::scope(|scope| {
        let sent = scope.spawn(|| trial.send(request));
        // Databases made from one template have the same table OIDs.
        let waiting = "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database \
            WHERE datname = current_database() AND NOT granted AND locktype = 'relation'";
        until("the statement waits", || !session.run(waiting).is_empty());
        fault();
        pause(ms(100));
        session.run("ROLLBACK");
        sent.join().unwrap()
    })
}

#[test]
fn a_connection_that_breaks_under_a_statement_costs_only_what_must_not_run_twice() {
    let fragile = Fragile::new();
    for end in [End::Closed, End::Reset] {
        under_a_statement(&Trial::new(&fragile), end);
    }
}

/// Ends the connection during each statement, which fails only requests that must not run twice.
pub(super) fn under_a_statement(trial: &Trial, end: End) {
    let attempts = each(|request| in_flight(trial, request, || trial.fragile.proxy.end(end)));
    let fault = format!("{end:?} under a statement");
    trial.expect(&fault, &attempts, Attempt::expect_success_of_repeated);
}

#[test]
fn a_503_leaves_open_what_a_statement_did_before_the_server_went_away() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let attempts = each(|request| {
        let attempt = in_flight(&trial, request, || {
            fragile.proxy.refuse();
            fragile.proxy.end(End::Closed);
        });
        fragile.proxy.pass();
        attempt
    });
    trial.expect("Closed under a statement, then refused", &attempts, Attempt::expect_failure);
}

#[test]
fn a_peer_that_vanished_while_the_function_idled_is_noticed_within_a_second() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    fragile.proxy.end(End::Vanished);
    pause(ms(6_000));
    // A few at once, since the time of each is measured.
    let requests = one_of_each();
    let attempts: Vec<_> = requests.chunks(8).flat_map(|some| trial.send_all(some)).collect();
    for attempt in &attempts {
        attempt.expect_success();
        assert!(attempt.took > ms(900), "{attempt}");
        attempt.expect_within(ms(2_500));
    }
    report("peer vanished, 6 s idle", &attempts, &trial.stored());
}

#[test]
fn a_peer_that_vanished_just_now_is_503_and_the_next_request_works() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    fragile.proxy.end(End::Vanished);
    let attempts = trial.send_all(&one_of_each());
    attempts.iter().for_each(Attempt::expect_failure);
    report("peer vanished, no idling", &attempts, "");
    trial.expect_recovery();
}

#[test]
fn a_server_that_is_away_for_a_moment_is_waited_for() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let away = || {
        fragile.proxy.refuse();
        fragile.proxy.end(End::Closed);
    };
    away();
    let attempts = back_after(&fragile, ms(700), || trial.send_all(&one_of_each()));
    trial.expect("refused for 0.7 s", &attempts, Attempt::expect_success);

    away();
    let attempts = trial.send_all(&one_of_each());
    fragile.proxy.pass();
    attempts.iter().for_each(Attempt::expect_failure);
    report("refused for longer", &attempts, "");
    trial.expect_recovery();
}

#[test]
fn a_database_that_wakes_is_waited_for_and_one_that_sleeps_on_is_503() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let sleeps = || {
        fragile.proxy.hold();
        fragile.proxy.end(End::Closed);
    };
    sleeps();
    let attempts = back_after(&fragile, ms(3_000), || trial.send_all(&one_of_each()));
    trial.expect("asleep for 3 s", &attempts, Attempt::expect_success);

    // Longer than any request waits.
    sleeps();
    let attempts = trial.send_all(&one_of_each());
    fragile.proxy.pass();
    attempts.iter().for_each(Attempt::expect_failure);
    report("asleep for longer", &attempts, "");
    trial.expect_recovery();
}

#[test]
fn a_network_that_stands_still_for_two_seconds_is_only_slow() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    fragile.proxy.hold();
    let [list, create] = [any_resource().list(), any_resource().create()];
    let both = [list.example(), create.example().without_key()];
    let attempts = back_after(&fragile, ms(2_000), || trial.send_all(&both));
    attempts.iter().for_each(Attempt::expect_success);
    let once = trial.send(&create.example());
    trial.insist(&once);
    report("still for 2 s", &attempts, &trial.stored());
}

/// Lets bytes pass again after a while, then waits for the work to end.
fn back_after<T: Send>(fragile: &Fragile, time: Duration, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let working = scope.spawn(work);
        pause(time);
        fragile.proxy.pass();
        working.join().unwrap()
    })
}
