//! Sandboxes that Lambda freezes, and connections that close meanwhile.
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::End;

use super::server::terminate;
use super::{Fragile, Trial, one_of_each, report};

fn signal(fragile: &Fragile, signal: Signal) {
    for (_, function) in &fragile.functions {
        let process = Pid::from_raw(function.id().cast_signed()).unwrap();
        kill_process(process, signal).unwrap();
    }
}

#[test]
fn a_thawed_function_answers_whatever_became_of_its_connection() {
    let fragile = Fragile::new();
    let vanish = |fragile: &Fragile| fragile.proxy.end(End::Vanished);
    let reset = |fragile: &Fragile| fragile.proxy.end(End::Reset);
    for (fault, happens) in [
        ("the server ends its connection", &terminate as &dyn Fn(&Fragile)),
        ("its connection is reset", &reset),
        ("the peer vanishes", &vanish),
    ] {
        let trial = Trial::new(&fragile);
        signal(&fragile, Signal::STOP);
        happens(&fragile);
        sleep(Duration::from_secs(6));
        signal(&fragile, Signal::CONT);
        let attempts = trial.send_all(&one_of_each());
        for attempt in &attempts {
            attempt.expect_success();
            attempt.expect_within(Duration::from_millis(2_500));
        }
        report(&format!("frozen for 6 s; {fault}"), &attempts, &trial.stored());
    }
}
