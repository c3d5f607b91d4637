//! A server that restarts under requests.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use tests::{Part, sql};

use super::{Attempt, Complete, Create, FUNCTIONS, Fragile, Trial, report};

#[test]
fn under_a_server_that_restarts_or_crashes_nothing_acknowledged_is_lost_or_done_twice() {
    let mut database = Part::start("database", &[]);
    // What is faster loses the last moments in a crash.
    sql(&database.url, "ALTER DATABASE tasks SET synchronous_commit = on");
    let fragile = Fragile::on(&database.url, &database.functions_url, "tasks");
    for how in ["restart", "crash"] {
        let trial = Trial::new(&fragile);
        let ended = AtomicBool::new(false);
        let attempts: Vec<Attempt> = thread::scope(|scope| {
            let send = |operation| {
                let (trial, ended) = (&trial, &ended);
                scope.spawn(move || {
                    let mut attempts = Vec::new();
                    while !ended.load(Ordering::Relaxed) {
                        attempts.push(trial.send(operation));
                        sleep(Duration::from_millis(20));
                    }
                    attempts
                })
            };
            let threads: Vec<_> =
                FUNCTIONS.into_iter().chain([Create, Complete]).map(send).collect();
            sleep(Duration::from_millis(500));
            database.tell(how);
            sleep(Duration::from_millis(2_500));
            ended.store(true, Ordering::Relaxed);
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        report(&format!("the server's {how}"), &attempts, &trial.stored());
        let attempts = trial.send_all(&FUNCTIONS);
        attempts.iter().for_each(Attempt::expect_success);
        report("the request after it", &attempts, &trial.stored());
    }
    assert_eq!(database.log().matches("database system is ready to accept").count(), 3);
}
