//! Network and database failures: what the client sees and what is stored. Every request gets its
//! answer or a clear 503 in time; what was acknowledged is stored exactly once.
//!
//! The functions run as on Lambda, each with its own Runtime API.
mod certificates;
mod cuts;
mod frozen;
mod network;
mod pooled;
mod refused;
mod restart;
mod server;
mod shared_session;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::NamedTempFile;
use tests::{
    Moment, Operation, Proxy, Reply, Request, Resource, SETTINGS, Sandbox, Session, function,
    name_of, new_database, operations, requests, resources, sql,
};

/// A request's time limit, and a second for a busy machine.
const LIMIT: Duration = Duration::from_secs(9);

/// One request for each operation; where a body is optional the one without, since each run of a
/// toggle is visible.
fn one_of_each() -> Vec<Request> {
    operations().iter().map(|operation| operation.example().without_body()).collect()
}

/// Applies `send` to every request, one after the other.
fn each(send: impl FnMut(&Request) -> Attempt) -> Vec<Attempt> {
    requests().iter().map(send).collect()
}

/// The functions, with their own database and a proxy in front of it.
struct Fragile {
    proxy: Proxy,
    functions: Vec<(&'static Operation, Sandbox)>,
    log: NamedTempFile,
    /// The superuser's URL, without the proxy.
    url: String,
    /// The name of the database.
    name: String,
}

impl Fragile {
    /// On a new database.
    fn new() -> Self {
        let [url, functions_url] = new_database();
        Self::on(&url, &functions_url)
    }

    /// On a database with these URLs of its owner and its functions.
    fn on(url: &str, functions_url: &str) -> Self {
        let proxy = Proxy::before(functions_url);
        let through = proxy.url(functions_url);
        Self::with(proxy, &through, url)
    }

    /// With this URL for the functions.
    fn with(proxy: Proxy, functions_url: &str, url: &str) -> Self {
        Self::started(proxy, functions_url, url, &[])
    }

    /// As [`Fragile::with`], with more variables.
    fn started(proxy: Proxy, functions_url: &str, url: &str, variables: &[(&str, &str)]) -> Self {
        let log = NamedTempFile::new().unwrap();
        let settings = [&SETTINGS[..], &[("DATABASE_URL", functions_url)], variables].concat();
        let start =
            |operation: &'static Operation| (operation, start(operation.function, &settings, &log));
        let functions = operations().iter().map(start).collect();
        let name = name_of(url).to_owned();
        Self { proxy, functions, log, url: url.to_owned(), name }
    }

    fn function(&self, operation: &Operation) -> &Sandbox {
        let of = |(other, _): &&(&Operation, Sandbox)| other.function == operation.function;
        &self.functions.iter().find(of).unwrap().1
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }
}

/// A function with these variables, which appends to the log.
fn start(name: &str, variables: &[(&str, &str)], log: &NamedTempFile) -> Sandbox {
    let mut program = function(name, variables);
    let output = File::options().append(true).open(log.path()).unwrap();
    program.stdout(Stdio::from(output.try_clone().unwrap())).stderr(output);
    Sandbox::of(program)
}

/// Requests during a fault, and their outcome. Each has its own user, with both kinds of items of
/// every resource.
struct Trial<'a> {
    fragile: &'a Fragile,
    users: String,
    /// The first item of each user, by resource.
    ids: BTreeMap<&'static str, Vec<i64>>,
    /// The last item that the users have at first, by resource.
    last: BTreeMap<&'static str, i64>,
    /// The number of items that each request makes, changes or deletes if nothing fails.
    effects: BTreeMap<String, usize>,
    attempts: Mutex<Vec<Attempt>>,
    next: AtomicUsize,
}

/// A request and its answer.
#[derive(Clone)]
struct Attempt {
    request: Request,
    user: String,
    id: i64,
    reply: Reply,
    took: Duration,
    /// The time it took, without stalls of the machine.
    ran: Duration,
}

/// An item in the database, and the name of its resource.
struct Row(&'static str, Value);

impl Row {
    fn id(&self) -> i64 {
        self.1["id"].as_i64().unwrap()
    }

    fn changes(&self) -> usize {
        usize::try_from(self.1["version"].as_u64().unwrap() - 1).unwrap()
    }
}

/// The users of a trial.
const USERS: usize = 3000;

impl<'a> Trial<'a> {
    /// A trial on functions that are running and connected.
    fn new(fragile: &'a Fragile) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let users = format!("trial-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let fill = |resource: &'static Resource| {
            let [first, second]: [Vec<i64>; 2] = resource.kinds().map(|item| {
                let user = format!("'{users}-' || n");
                let from = format!("generate_series(0, {}) n", USERS - 1);
                let ids = sql(&fragile.url, &resource.insert(&item, &user, &from));
                ids.iter().map(|id| id.parse().unwrap()).collect()
            });
            let last = *second.last().unwrap();
            ((resource.name, first), (resource.name, last))
        };
        let (ids, last) = resources().iter().map(fill).unzip();
        let (effects, attempts, next) = Default::default();
        let mut trial = Self { fragile, users, ids, last, effects, attempts, next };
        // The first requests replace connections that an earlier trial broke.
        thread::scope(|scope| {
            for (operation, sandbox) in &fragile.functions {
                scope.spawn(|| sandbox.ask("warm", &operation.example(), 1));
            }
        });
        let session = Session::open(&fragile.url);
        for attempt in each(|request| trial.send(request)) {
            attempt.expect_success();
            let Attempt { request, .. } = &attempt;
            let effect = trial.effect(&attempt, &attempt.rows(&session));
            let operation = request.operation;
            if operation.reads() || operation.is_of_an_item() || operation.method == "POST" {
                assert_eq!(effect, usize::from(!operation.reads()), "{attempt}");
            }
            assert!(operation.reads() || effect > 0, "{attempt} changes nothing");
            trial.effects.insert(request.name.clone(), effect);
        }
        trial
    }

    /// Sends a request and checks that it succeeds or gets a clear 503, in time.
    fn send(&self, request: &Request) -> Attempt {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let resource = request.operation.resource();
        let id = resource.map_or(0, |resource| self.ids[resource.name][next]);
        let user = format!("{}-{next}", self.users);
        let (sent, started) = (Instant::now(), Moment::now());
        let reply = self.fragile.function(request.operation).ask(&user, request, id);
        let (took, ran) = (sent.elapsed(), started.elapsed());
        let attempt = Attempt { request: request.clone(), user, id, reply, took, ran };
        attempt.expect_within(LIMIT);
        if attempt.reply.status != request.operation.success() {
            attempt.reply.expect_problem(503, "database_unavailable");
            assert_eq!(attempt.reply.header("retry-after"), "1");
        }
        self.attempts.lock().unwrap().push(attempt.clone());
        attempt
    }

    /// Sends these requests at once.
    fn send_all(&self, requests: &[Request]) -> Vec<Attempt> {
        thread::scope(|scope| {
            let start = |request| scope.spawn(move || self.send(request));
            let threads: Vec<_> = requests.iter().map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Checks each attempt, and what is stored.
    fn expect(&self, fault: &str, attempts: &[Attempt], expected: impl Fn(&Attempt)) {
        attempts.iter().for_each(expected);
        report(fault, attempts, &self.stored());
    }

    /// After the fault, a request of each operation succeeds.
    fn expect_recovery(&self) {
        let attempts = self.send_all(&one_of_each());
        self.expect("the request after it", &attempts, Attempt::expect_success);
    }

    /// Repeats a keyed create until it is acknowledged, as clients do.
    fn insist(&self, attempt: &Attempt) {
        let Attempt { request, user, id, .. } = attempt;
        let function = self.fragile.function(request.operation);
        let mut patience = 0..20;
        while function.ask(user, request, id).status != request.operation.success() {
            patience.next().expect("an answer in the end");
        }
    }

    /// Checks the database: an acknowledged request was executed once; another one at most once, or
    /// never if its answer rules it out. Returns a summary for the table.
    fn stored(&self) -> String {
        let session = Session::open(&self.fragile.url);
        // Statements that the functions gave up on may still run.
        let running = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
            AND state <> 'idle' AND pid <> pg_backend_pid()";
        until("the server is at rest", || session.run(running).is_empty());
        let attempts = self.attempts.lock().unwrap();
        let (mut acknowledged, mut failed, mut failed_but_stored) = (0, 0, 0);
        for attempt in attempts.iter() {
            let rows = attempt.rows(&session);
            let (effect, once) = (self.effect(attempt, &rows), self.effects[&attempt.request.name]);
            let stored = format!("{attempt} has changed {effect} items, and changes {once}");
            if attempt.done() {
                acknowledged += 1;
                assert_eq!(effect, once, "{stored}");
                attempt.expect_among(&rows);
            } else {
                failed += 1;
                failed_but_stored += usize::from(effect > 0);
                let known = !attempt.reply.body["detail"].as_str().unwrap().contains("not known");
                let possible = effect == 0 || !known && effect == once;
                assert!(possible, "{stored}: {:?}", attempt.reply);
            }
        }
        format!("{acknowledged} acknowledged = stored; of {failed} 503s stored {failed_but_stored}")
    }

    /// How many items were made, changed or deleted, according to those of its user.
    fn effect(&self, attempt: &Attempt, rows: &[Row]) -> usize {
        let is_old = |row: &&Row| row.id() <= self.last[row.0];
        let (old, created): (Vec<_>, Vec<_>) = rows.iter().partition(is_old);
        let deleted = 2 * resources().len() - old.len();
        let changes: usize = old.iter().map(|row| row.changes()).sum();
        // A second run of a repeatable change has no effect, but counts as a version.
        let changes = if attempt.request.repeats() { changes.min(1) } else { changes };
        created.len() + deleted + changes
    }
}

impl Attempt {
    fn done(&self) -> bool {
        self.reply.status != 503
    }

    fn expect_success(&self) {
        assert!(self.done(), "{self}: {:?}", self.reply);
    }

    fn expect_failure(&self) {
        assert!(!self.done(), "{self}: {:?}", self.reply);
    }

    /// Expects success if a second run is harmless.
    fn expect_success_of_repeated(&self) {
        let hint = "`x-repeat` in the document says what must not run twice";
        assert!(self.done() || !self.request.repeats(), "{self}: {:?}; {hint}", self.reply);
    }

    fn expect_within(&self, limit: Duration) {
        assert!(self.ran < limit, "{self}, {:?} without stalls", self.ran);
    }

    /// The items of its user.
    fn rows(&self, session: &Session) -> Vec<Row> {
        let of = |Resource { name, table, .. }: &'static Resource| {
            let rows =
                format!("SELECT to_jsonb({table}) FROM {table} WHERE user_id = '{}'", self.user);
            session.run(&rows).into_iter().map(|row| Row(name, row.parse().unwrap()))
        };
        resources().iter().flat_map(of).collect()
    }

    /// Checks that the item in the answer is stored like that, unless it was deleted.
    fn expect_among(&self, rows: &[Row]) {
        let Some(resource) = self.request.operation.resource() else { return };
        let item = &self.reply.body;
        let is = |row: &&Row| row.0 == resource.name && row.1["id"] == item["id"];
        let Some(Row(_, row)) = rows.iter().find(is) else { return };
        // PostgreSQL's JSON writes times in another format.
        let members = item.as_object().unwrap().iter().filter(|(name, _)| !name.ends_with("_at"));
        for (name, value) in members {
            assert_eq!(Some(value), row.get(name), "{name} of {self}");
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, user, reply, took, .. } = self;
        write!(f, "{} of {user} ({} after {took:?})", request.name, reply.status)
    }
}

/// Waits until a condition holds.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < patience, "not yet: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// Waits for this long, not counting stalls of the machine.
fn pause(time: Duration) {
    let started = Moment::now();
    while started.elapsed() < time {
        sleep(Duration::from_millis(10));
    }
}

/// Prints a row of the table: the fault, the statuses, the times, what is stored.
fn report(fault: &str, attempts: &[Attempt], stored: &str) {
    let mut statuses: Vec<u16> = attempts.iter().map(|attempt| attempt.reply.status).collect();
    statuses.sort_unstable();
    let counts: Vec<String> = statuses
        .chunk_by(|a, b| a == b)
        .map(|same| format!("{} × {}", same.len(), same[0]))
        .collect();
    let took = attempts.iter().map(|attempt| attempt.took);
    let (least, most) = (took.clone().min().unwrap(), took.max().unwrap());
    println!(
        "| {fault} | {} | {} to {} ms | {stored} |",
        counts.join(", "),
        least.as_millis(),
        most.as_millis()
    );
}
