//! A server that ends connections, accepts no more of them, or is read-only.
use std::thread;
use std::time::Duration;

use tests::{database, sql};

use super::network::in_flight;
use super::{Attempt, Fragile, Trial, each, one_of_each, pause, report, until};

/// Makes the server end all connections of the functions at once.
pub(super) fn terminate(fragile: &Fragile) {
    let ended = sql(
        &fragile.url,
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name <> ''",
    );
    assert!(!ended.is_empty());
    let left = format!("SELECT pid FROM pg_stat_activity WHERE pid IN ({})", ended.join(", "));
    until("they have ended", || sql(&fragile.url, &left).is_empty());
}

#[test]
fn a_connection_that_the_server_ends_is_replaced_unseen_even_under_a_statement() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let attempts = each(|request| {
        terminate(&fragile);
        trial.send(request)
    });
    trial.expect("pg_terminate_backend between requests", &attempts, Attempt::expect_success);

    let attempts = each(|request| in_flight(&trial, request, || terminate(&fragile)));
    trial.expect("pg_terminate_backend under a statement", &attempts, Attempt::expect_success);
}

#[test]
fn a_statement_that_an_operator_cancels_is_503_and_not_done() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let running = "FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name <> '' AND state = 'active'";
    let cancel = || {
        sql(&fragile.url, &format!("SELECT pg_cancel_backend(pid) {running}"));
        until("it is cancelled", || sql(&fragile.url, &format!("SELECT pid {running}")).is_empty());
    };
    let attempts = each(|request| in_flight(&trial, request, cancel));
    trial.expect("pg_cancel_backend under a statement", &attempts, Attempt::expect_failure);
}

#[test]
fn a_server_without_a_free_slot_is_waited_for_a_moment_and_then_503() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let slots = |slots: i32| {
        sql(&database().url, &format!("ALTER DATABASE {} CONNECTION LIMIT {slots}", fragile.name));
    };
    slots(0);
    terminate(&fragile);
    let attempts = thread::scope(|scope| {
        let sent = scope.spawn(|| trial.send_all(&one_of_each()));
        pause(Duration::from_millis(500));
        slots(-1);
        sent.join().unwrap()
    });
    trial.expect("no slot for 0.5 s", &attempts, Attempt::expect_success);

    slots(0);
    terminate(&fragile);
    let attempts = trial.send_all(&one_of_each());
    slots(-1);
    attempts.iter().for_each(Attempt::expect_failure);
    let log = fragile.log();
    assert!(log.contains("SQLSTATE 53300"), "{log}");
    report("no slot", &attempts, "");
    trial.expect_recovery();
}

#[test]
fn on_a_server_that_became_read_only_reads_work_and_writes_are_503() {
    let fragile = Fragile::new();
    let trial = Trial::new(&fragile);
    let alter = |what| sql(&database().url, &format!("ALTER DATABASE {} {what}", fragile.name));
    alter("SET default_transaction_read_only = on");
    terminate(&fragile);
    let attempts = each(|request| trial.send(request));
    alter("RESET default_transaction_read_only");
    for attempt in &attempts {
        assert_eq!(attempt.done(), attempt.request.operation.reads(), "{attempt}");
    }
    report("read-only", &attempts, &trial.stored());
    let attempts = each(|request| trial.send(request));
    trial.expect("writable again", &attempts, Attempt::expect_success);
}
