//! A sandbox that Lambda freezes, and what dies meanwhile.
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::End;

use super::server::terminate;
use super::{FUNCTIONS, Fragile, Trial, fragile, report};

/// The processes of the functions.
fn processes(fragile: &Fragile) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let folder = entry.unwrap().path();
        let pid = Pid::from_raw(folder.file_name()?.to_str()?.parse().ok()?)?;
        let is_function = fs::read_to_string(folder.join("comm")).ok()?.contains("-task");
        let environment = fs::read(folder.join("environ")).ok()?;
        let has_url = String::from_utf8_lossy(&environment).contains(&fragile.functions_url);
        (is_function && has_url).then_some(pid)
    });
    processes.collect()
}

fn all(processes: &[Pid], signal: Signal) {
    for process in processes {
        kill_process(*process, signal).unwrap();
    }
}

#[test]
fn a_thawed_function_answers_whatever_became_of_its_connection() {
    let fragile = fragile();
    let vanish = |fragile: &Fragile| fragile.proxy.end(End::Vanished);
    let reset = |fragile: &Fragile| fragile.proxy.end(End::Reset);
    for (fault, happens) in [
        ("the server ends its connection", &terminate as &dyn Fn(&Fragile)),
        ("its connection is reset", &reset),
        ("the peer vanishes", &vanish),
    ] {
        let trial = Trial::new(&fragile);
        let processes = processes(&fragile);
        assert_eq!(processes.len(), FUNCTIONS.len());
        all(&processes, Signal::STOP);
        happens(&fragile);
        sleep(Duration::from_secs(6));
        all(&processes, Signal::CONT);
        let attempts = trial.send_all(&FUNCTIONS);
        for attempt in &attempts {
            attempt.expect_success();
            assert!(attempt.took < Duration::from_millis(2_500), "{attempt}");
        }
        report(&format!("frozen for 6 s; {fault}"), &attempts, &trial.stored());
    }
}
