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

use std::fmt;
use std::fs::File;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use tempfile::NamedTempFile;
use tests::{
    Moment, Operation, Proxy, Reply, Request, SETTINGS, Sandbox, Session, function, new_database,
    operations, requests, sql,
};

/// A request's time limit, and a second for a busy machine.
const LIMIT: Duration = Duration::from_secs(9);

/// One request for each operation; for two of them the keyed create and the toggle, whose every run
/// is visible.
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
        let name = url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
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

/// Requests during a fault, and their outcome. Each has its own user, with an open and a completed
/// task.
struct Trial<'a> {
    fragile: &'a Fragile,
    users: String,
    /// The open task of each user.
    ids: Vec<i64>,
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

/// A task in the database.
#[derive(Deserialize)]
struct Row {
    id: i64,
    version: usize,
    completed: bool,
    title: String,
}

impl<'a> Trial<'a> {
    /// A trial on functions that are running and connected.
    fn new(fragile: &'a Fragile) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let users = format!("trial-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let fill = |completed: bool| {
            format!(
                "INSERT INTO tasks (user_id, title, completed) SELECT '{users}-' || n, 'task', {completed} \
                 FROM generate_series(0, 2999) n RETURNING id"
            )
        };
        sql(&fragile.url, &fill(true));
        let ids = sql(&fragile.url, &fill(false)).iter().map(|id| id.parse().unwrap()).collect();
        let (attempts, next) = (Mutex::default(), AtomicUsize::new(0));
        let trial = Self { fragile, users, ids, attempts, next };
        // The first requests replace connections that an earlier trial broke.
        thread::scope(|scope| {
            for (operation, sandbox) in &fragile.functions {
                scope.spawn(|| sandbox.ask("warm", &operation.example(), 1));
            }
        });
        trial.send_all(&one_of_each()).iter().for_each(Attempt::expect_success);
        trial
    }

    /// Sends a request and checks that it succeeds or gets a clear 503, in time.
    fn send(&self, request: &Request) -> Attempt {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let (id, user) = (self.ids[next], format!("{}-{next}", self.users));
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
            let rows =
                format!("SELECT to_jsonb(tasks) FROM tasks WHERE user_id = '{}'", attempt.user);
            let rows = session.run(&rows);
            let rows: Vec<Row> =
                rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
            let times = attempt.times(&rows);
            let reads = attempt.request.operation.reads();
            if attempt.done() {
                acknowledged += 1;
                assert_eq!(times, usize::from(!reads), "{attempt} is stored {times} times");
                attempt.expect_among(&rows);
            } else {
                failed += 1;
                failed_but_stored += times;
                let known = !attempt.reply.body["detail"].as_str().unwrap().contains("not known");
                let most = usize::from(!known || reads);
                assert!(times <= most, "{attempt} is stored {times} times: {:?}", attempt.reply);
            }
        }
        format!("{acknowledged} acknowledged = stored; of {failed} 503s stored {failed_but_stored}")
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
        let hint = "a request that must not run twice is in ONCE of tests/src/operation.rs";
        assert!(self.done() || !self.request.repeats(), "{self}: {:?}; {hint}", self.reply);
    }

    fn expect_within(&self, limit: Duration) {
        assert!(self.ran < limit, "{self}, {:?} without stalls", self.ran);
    }

    /// How often it was executed, according to its user's tasks.
    fn times(&self, rows: &[Row]) -> usize {
        let seeded = rows.iter().filter(|row| row.title == "task" || row.version > 1);
        let (kept, changes) =
            seeded.fold((0, 0), |(kept, changes), row| (kept + 1, changes + row.version - 1));
        let (created, deleted) = (rows.len() - kept, 2 - kept);
        // A second run of a repeatable change has no effect, but counts as a version.
        let changes = if self.request.repeats() { changes.min(1) } else { changes };
        created + deleted + changes
    }

    /// Checks that the task in the answer is stored like that, unless it was deleted.
    fn expect_among(&self, rows: &[Row]) {
        let task = &self.reply.body;
        let row = rows.iter().find(|row| task["id"] == row.id);
        if let Some(Row { completed, title, .. }) = row {
            assert_eq!(
                (&task["completed"], &task["title"]),
                (&Value::from(*completed), &Value::from(title.as_str())),
                "{self}"
            );
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
