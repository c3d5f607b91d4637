//! A server that restarts during requests.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use tests::{Fixture, name_of, requests, sql};

use super::{Attempt, Fragile, Trial, pause, report, until};

#[test]
fn under_a_server_that_restarts_or_crashes_nothing_acknowledged_is_lost_or_done_twice() {
    let mut database = Fixture::start("database", &[]);
    // The fast settings of the test server would lose recent commits in a crash.
    let alter = format!("ALTER DATABASE {} SET synchronous_commit = on", name_of(&database.url));
    sql(&database.url, &alter);
    let fragile = Fragile::on(&database.url, &database.functions_url);
    let starts =
        |database: &Fixture| database.log().matches("database system is ready to accept").count();
    for (how, times) in [("restart", 2), ("crash", 3)] {
        let trial = Trial::new(&fragile);
        let ended = AtomicBool::new(false);
        let attempts: Vec<Attempt> = thread::scope(|scope| {
            let send = |request| {
                let (trial, ended) = (&trial, &ended);
                scope.spawn(move || {
                    let mut attempts = Vec::new();
                    while !ended.load(Ordering::Relaxed) {
                        attempts.push(trial.send(&request));
                        sleep(Duration::from_millis(20));
                    }
                    attempts
                })
            };
            let threads: Vec<_> = requests().into_iter().map(send).collect();
            pause(Duration::from_millis(500));
            database.tell(how);
            until("the server is back", || starts(&database) == times);
            pause(Duration::from_millis(1_500));
            ended.store(true, Ordering::Relaxed);
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        report(&format!("the server's {how}"), &attempts, &trial.stored());
        trial.expect_recovery();
    }
}
