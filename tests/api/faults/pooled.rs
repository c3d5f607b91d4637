//! A pooler that loses its connections to the server.
use std::time::Duration;

use tests::{End, Fixture, Proxy, new_database};

use super::network::{between_requests, in_flight, under_a_statement};
use super::server::terminate;
use super::{Attempt, Fragile, Trial, each, one_of_each, pause};

#[test]
fn behind_a_pooler_a_broken_connection_costs_only_what_must_not_run_twice() {
    let [url, functions_url] = new_database();
    let proxy = Proxy::before(&functions_url);
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &proxy.url(&functions_url))]);
    let fragile = Fragile::with(proxy, &pooler.url, &url);
    for end in [End::Closed, End::Reset] {
        let trial = Trial::new(&fragile);
        // A pooler whose connection attempt is cut refuses everybody for a while.
        pause(Duration::from_millis(500));
        between_requests(&trial, end);
        under_a_statement(&trial, end);
    }

    let trial = Trial::new(&fragile);
    let attempts = each(|request| in_flight(&trial, request, || terminate(&fragile)));
    trial.expect(
        "pg_terminate_backend under a statement",
        &attempts,
        Attempt::expect_success_of_repeated,
    );

    fragile.proxy.refuse();
    fragile.proxy.end(End::Closed);
    let attempts = trial.send_all(&one_of_each());
    trial.expect("the server is away", &attempts, Attempt::expect_failure);
    fragile.proxy.pass();
    pause(Duration::from_secs(2));
    trial.expect_recovery();
}
