//! A pooler whose connections break behind it.
use std::time::Duration;

use tests::{End, Fixture, Proxy, new_database};

use super::network::in_flight;
use super::server::terminate;
use super::{Attempt, Fragile, Trial, each, one_of_each, pause, report};

#[test]
fn behind_a_pooler_a_broken_connection_costs_only_what_must_not_run_twice() {
    let [url, functions_url] = new_database();
    let proxy = Proxy::before(&functions_url);
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &proxy.url(&functions_url))]);
    let fragile = Fragile::with(proxy, &pooler.url, &url);
    for end in [End::Closed, End::Reset] {
        let trial = Trial::new(&fragile);
        // A pooler that is cut off as it connects refuses everybody for a while.
        pause(Duration::from_millis(500));
        let attempts = each(|request| {
            fragile.proxy.end(end);
            pause(Duration::from_millis(100));
            trial.send(request)
        });
        attempts.iter().for_each(Attempt::expect_success);
        report(&format!("pooled: {end:?} between requests"), &attempts, &trial.stored());

        let attempts = each(|request| in_flight(&trial, request, || fragile.proxy.end(end)));
        attempts.iter().for_each(Attempt::expect_success_of_repeated);
        report(&format!("pooled: {end:?} under a statement"), &attempts, &trial.stored());
    }

    let trial = Trial::new(&fragile);
    let attempts = each(|request| in_flight(&trial, request, || terminate(&fragile)));
    attempts.iter().for_each(Attempt::expect_success_of_repeated);
    report("pooled: pg_terminate_backend under a statement", &attempts, &trial.stored());

    fragile.proxy.refuse();
    fragile.proxy.end(End::Closed);
    let attempts = trial.send_all(&one_of_each());
    attempts.iter().for_each(Attempt::expect_failure);
    report("pooled: the server is away", &attempts, &trial.stored());
    fragile.proxy.pass();
    pause(Duration::from_secs(2));
    let attempts = trial.send_all(&one_of_each());
    attempts.iter().for_each(Attempt::expect_success);
    report("the request after it", &attempts, &trial.stored());
}
