//! Refused logins: by the server, through Neon's proxy, and through a pooler.
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::NamedTempFile;
use tests::{
    AUDIENCE, DATABASE_ROLE, End, Fixture, ISSUER, Neon, Proxy, Reply, Request, SECRET, Sandbox,
    Session, any_resource, aws_variables, create_secret, database, new_database, put_secret,
    requests, sql, with_login,
};

use super::{pause, start, until};

static AWS: LazyLock<Fixture> = LazyLock::new(|| Fixture::start("aws", &[]));

/// How a function handles a refused login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// It refreshes its settings and continues with the new login.
    Renewed,
    /// It tries again for a moment, then fails.
    Waited,
    /// It fails at once.
    Refused,
}

use Expected::{Refused, Renewed, Waited};

/// A function with its settings in a secret, and its log.
struct Function {
    sandbox: Sandbox,
    secret: String,
    log: NamedTempFile,
}

impl Function {
    /// A function that uses this database.
    fn of(function: &str, url: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let secret = format!("task-api/refused-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        create_secret(&AWS.url, &secret, &settings(url));
        let log = NamedTempFile::new().unwrap();
        let sandbox = start(function, &aws_variables(&AWS.url, &secret), &log);
        Self { sandbox, secret, log }
    }

    /// A list, connected to this database.
    fn connected(url: &str) -> Self {
        let function = Self::of(any_resource().list().function, url);
        assert_eq!(function.list().status, 200);
        function
    }

    /// Changes the URL in the secret.
    fn renew(&self, url: &str) {
        put_secret(&AWS.url, &self.secret, &settings(url));
    }

    fn list(&self) -> Reply {
        self.sandbox.ask("somebody", &any_resource().list().example(), 1)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Sends a list that must connect first, and checks how the function handles the failure.
    fn expect(&self, fault: &str, expected: Expected, words: &str) {
        let sent = Instant::now();
        let reply = self.list();
        let took = sent.elapsed().as_millis();
        let log = self.log();
        let renewed = log.contains("the database has changed");
        let read = if renewed { "read again" } else { "kept" };
        println!("| {fault} | {} | {took} ms | settings {read} |", reply.status);
        assert_eq!(reply.status, if expected == Renewed { 200 } else { 503 }, "{fault}: {log}");
        assert_eq!(renewed, expected == Renewed, "{fault}: {log}");
        assert!(took >= 1_300 || expected != Waited, "{fault}: {took} ms");
        assert!(expected == Renewed || log.contains(words), "{fault}: {log}");
    }
}

fn settings(url: &str) -> String {
    let settings = json!({
        "DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE,
    });
    settings.to_string()
}

/// A new login for the functions, and its URL.
fn new_login(functions_url: &str) -> (String, String) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("refused_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let role =
        format!("CREATE ROLE {name} LOGIN NOINHERIT PASSWORD 'of-{name}' IN ROLE {DATABASE_ROLE}");
    sql(&database().url, &role);
    let url = with_login(functions_url, &name, &format!("of-{name}"));
    (name, url)
}

/// Changes the password of a login, and ends its sessions.
fn end(login: &str) {
    let end = format!(
        "ALTER ROLE {login} PASSWORD 'another'; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{login}'"
    );
    sql(&database().url, &end);
}

#[test]
fn what_neons_proxy_says_is_understood_by_its_words() {
    let rows = [
        ("password authentication failed for user '{user}'", Renewed),
        ("role \"{user}\" is not permitted to log in", Renewed),
        ("Too many connections to this endpoint. Please try again later.", Waited),
        (
            "Failed to acquire permit to connect to the database. \
             Too many database connection attempts are currently ongoing.",
            Waited,
        ),
        ("Couldn't connect to compute node", Waited),
        ("sorry, too many clients already", Waited),
        ("the database system is starting up", Waited),
        ("Control plane request failed", Waited),
        ("Authentication timed out", Waited),
        ("Internal error", Waited),
        ("An unknown message", Waited),
        ("Control plane request failed: endpoint cannot be found", Refused),
        ("Control plane request failed: endpoint is disabled", Refused),
        (
            "Control plane request failed: endpoint is temporarily unavailable. \
             Check your quotas and/or contact our support.",
            Refused,
        ),
        (
            "This IP address 192.0.2.1 is not allowed to connect to this endpoint. \
             If you want to connect, add it to the list.",
            Refused,
        ),
        ("Endpoint ID is not specified. Either please upgrade the client.", Refused),
    ];
    let [_, functions_url] = new_database();
    let (old, old_url) = new_login(&functions_url);
    let (_, new_url) = new_login(&functions_url);
    for (message, expected) in rows {
        let neon = Neon::before(&functions_url);
        let function = Function::connected(&neon.url(&old_url));
        function.renew(&neon.url(&new_url));
        let message = message.replace("{user}", &old);
        let (told, old) = (message.clone(), old.clone());
        // Another login helps only if the login itself was refused.
        neon.refuse(move |user| (user == old || expected != Renewed).then(|| told.clone()));
        neon.end();
        let before = neon.attempts();
        function.expect(&format!("XX000 {message}"), expected, &message);
        let attempts = neon.attempts() - before;
        assert_eq!(attempts, [2, 4, 1][expected as usize], "{message}");
    }
}

#[test]
fn a_compute_of_neons_that_wakes_is_waited_for() {
    let [_, functions_url] = new_database();
    let neon = Neon::before(&functions_url);
    let function = Function::connected(&neon.url(&functions_url));
    neon.refuse(|_| Some("Couldn't connect to compute node".to_owned()));
    neon.end();
    let reply = thread::scope(|scope| {
        let sent = scope.spawn(|| function.list());
        pause(Duration::from_millis(600));
        neon.refuse(|_| None);
        sent.join().unwrap()
    });
    assert_eq!(reply.status, 200);
    // A changed password, with the proxy's message.
    let (login, url) = new_login(&functions_url);
    let function = Function::connected(&neon.url(&url));
    function.renew(&neon.url(&functions_url));
    end(&login);
    function.expect("XX000, from the server's 28P01", Renewed, "");
}

#[test]
fn a_login_that_changes_behind_neons_proxy_costs_a_function_at_most_one_request() {
    let [_, functions_url] = new_database();
    let neon = Neon::before(&functions_url);
    let (old, old_url) = new_login(&functions_url);
    let (_, new_url) = new_login(&functions_url);
    let functions: Vec<(Request, Function)> = requests()
        .into_iter()
        .map(|request| {
            let function = Function::of(request.operation.function, &neon.url(&old_url));
            (request, function)
        })
        .collect();
    let renewed = |function: &Function| function.log().contains("the database has changed");
    let load = |(request, function): &(Request, Function)| {
        let (mut sent, mut failed) = (0, 0);
        until("it goes on with the new login", || {
            let reply = function.sandbox.ask("somebody", request, 1);
            sent += 1;
            failed += usize::from(reply.status == 503);
            sent > 20 && renewed(function)
        });
        (sent, failed)
    };
    let failures: Vec<(usize, usize)> = thread::scope(|scope| {
        let threads: Vec<_> = functions.iter().map(|of_one| scope.spawn(|| load(of_one))).collect();
        pause(Duration::from_millis(500));
        for (_, function) in &functions {
            function.renew(&neon.url(&new_url));
        }
        end(&old);
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("| a login changes under load | (requests, 503s) a function: {failures:?} |");
    assert!(failures.iter().all(|(sent, failed)| *sent > 20 && *failed <= 1), "{failures:?}");
    assert!(functions.iter().all(|(_, function)| renewed(function)));
}

#[test]
fn a_login_that_is_refused_behind_a_pooler_is_read_again() {
    let [_, functions_url] = new_database();
    let (login, url) = new_login(&functions_url);
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &url)]);
    end(&login);
    let function = Function::of(any_resource().list().function, &pooler.url);
    until("it has read its settings", || pooler.log().contains("login attempt"));
    function.renew(&functions_url);
    function.expect("08P01 of a pooler whose server refuses the login", Renewed, "");
}

#[test]
fn a_pooler_that_waits_for_a_login_that_has_ended_costs_one_request() {
    let [_, functions_url] = new_database();
    let (login, url) = new_login(&functions_url);
    let pooler = Fixture::start("pgbouncer", &[("DATABASE_URL", &url)]);
    let function = Function::connected(&pooler.url);
    function.renew(&functions_url);
    end(&login);
    let reply = function.list();
    assert_eq!(reply.status, 503, "{}", function.log());
    function.expect("the request after one that a pooler did not answer", Renewed, "");
}

#[test]
fn a_pooler_without_room_is_waited_for() {
    let [_, functions_url] = new_database();
    let arguments = ["pgbouncer", "--connections", "1"];
    let pooler = Fixture::start_with(&arguments, &[("DATABASE_URL", &functions_url)]);
    let proxy = Proxy::before(&pooler.url);
    let function = Function::connected(&proxy.url(&pooler.url));
    let takes_its_place = || {
        proxy.end(End::Closed);
        pause(Duration::from_millis(200));
        let session = Session::open(&pooler.url);
        session.run("SELECT 1");
        session
    };
    let session = takes_its_place();
    let reply = thread::scope(|scope| {
        let sent = scope.spawn(|| function.list());
        pause(Duration::from_millis(600));
        drop(session);
        sent.join().unwrap()
    });
    assert_eq!(reply.status, 200);

    let _session = takes_its_place();
    function.expect("08P01 of a full pooler", Waited, "no more connections allowed");
}
