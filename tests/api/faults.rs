//! What a client sees when the network or the database fails, and what is stored then: it gets its
//! answer or a clear 503 in time, what was acknowledged is stored once, and nothing is done twice.
mod certificates;
mod cuts;
#[cfg(target_os = "linux")]
mod frozen;
mod network;
mod pooled;
mod restart;
mod server;

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Proxy, Reply, Session, Stack, User, database, sql, xtask};

/// A request, as far as its failures are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    List,
    Get,
    Create,
    CreateOnce,
    Update,
    Complete,
    Toggle,
    Delete,
}

use Operation::{Complete, Create, CreateOnce, Delete, Get, List, Toggle, Update};

const ALL: [Operation; 8] = [List, Get, Create, CreateOnce, Update, Complete, Toggle, Delete];
/// One of each function.
const FUNCTIONS: [Operation; 6] = [List, Get, CreateOnce, Update, Toggle, Delete];

impl Operation {
    /// Whether it may be sent again where nobody knows if it ran.
    fn repeats(self) -> bool {
        !matches!(self, Create | Toggle | Delete)
    }
}

/// The longest that a request may take, and a second for a busy machine.
const LIMIT: Duration = Duration::from_secs(9);

/// A stack that has a database, and the way to it, for itself.
struct Fragile {
    proxy: Proxy,
    stack: Stack,
    /// The database, straight, for who may do everything in it.
    url: String,
    /// The database as the functions know it.
    functions_url: String,
    /// The name of the database.
    name: String,
}

impl Fragile {
    /// With a new database of this name.
    fn start(name: &str) -> Self {
        let [url, functions_url] = new_database(name);
        Self::on(&url, &functions_url, name)
    }

    /// On the database `name`.
    fn on(url: &str, functions_url: &str, name: &str) -> Self {
        let proxy = Proxy::before(functions_url);
        let through = proxy.url(functions_url);
        Self::with(proxy, &through, url, name)
    }

    /// Whose functions have this URL.
    fn with(proxy: Proxy, functions_url: &str, url: &str, name: &str) -> Self {
        let stack = Stack::start_awake(&[("DATABASE_URL", functions_url)]);
        let [url, functions_url, name] = [url, functions_url, name].map(str::to_owned);
        Self { proxy, stack, url, functions_url, name }
    }
}

/// A new database on the server of the tests: its URL, and that of the functions.
fn new_database(name: &str) -> [String; 2] {
    sql(&database().url, &format!("CREATE DATABASE {name}"));
    let urls = [&database().url, &database().functions_url]
        .map(|url| url.replace("/tasks?", &format!("/{name}?")));
    let migrated = xtask().arg("migrate").env("DATABASE_URL", &urls[0]).output().unwrap();
    assert!(migrated.status.success(), "{migrated:?}");
    urls
}

/// A stack for one test, which leaves it whole for the next.
struct Borrowed(MutexGuard<'static, Option<Fragile>>);

/// One of a few stacks: their tests wait more than they work, but each stack takes its time to start.
fn fragile() -> Borrowed {
    static STACKS: [Mutex<Option<Fragile>>; 3] = [const { Mutex::new(None) }; 3];
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let stack = &STACKS[turn % STACKS.len()];
    // Nobody knows how a test left it that did not pass.
    let mut stack = stack.lock().unwrap_or_else(|broken| {
        stack.clear_poison();
        let mut stack = broken.into_inner();
        *stack = None;
        stack
    });
    stack.get_or_insert_with(|| Fragile::start(&format!("fragile_{turn}"))).proxy.pass();
    Borrowed(stack)
}

impl Deref for Borrowed {
    type Target = Fragile;

    fn deref(&self) -> &Fragile {
        self.0.as_ref().unwrap()
    }
}

/// Requests of a new user while something fails, and what becomes of them.
struct Trial<'a> {
    fragile: &'a Fragile,
    user: User,
    /// Tasks, of which each request changes another.
    ids: Vec<i64>,
    attempts: Mutex<Vec<Attempt>>,
    next: AtomicUsize,
}

/// A request, and what the client saw.
#[derive(Clone)]
struct Attempt {
    operation: Operation,
    id: i64,
    /// What tells its traces from those of others.
    mark: String,
    reply: Reply,
    took: Duration,
}

impl<'a> Trial<'a> {
    /// A trial on functions that run and are connected.
    fn new(fragile: &'a Fragile) -> Self {
        let user = User::of(&fragile.stack);
        let tasks = format!(
            "INSERT INTO tasks (user_id, title) SELECT '{}', 'task' FROM generate_series(1, 1000) RETURNING id",
            user.id
        );
        let ids = sql(&fragile.url, &tasks).iter().map(|id| id.parse().unwrap()).collect();
        let (attempts, next) = (Mutex::default(), AtomicUsize::new(0));
        let trial = Self { fragile, user, ids, attempts, next };
        // The first requests meet what an earlier trial left of the connections.
        let (user, no_task) = (&trial.user, 9_007_199_254_740_991_i64);
        thread::scope(|scope| {
            scope.spawn(|| user.list(""));
            scope.spawn(|| user.get(no_task));
            scope.spawn(|| user.create(&json!({ "title": "warm" })));
            scope.spawn(|| user.update(no_task, &[], &json!({ "completed": true })));
            scope.spawn(|| user.complete(no_task, &[], ""));
            scope.spawn(|| user.delete(no_task, &[]));
        });
        trial.send_all(&FUNCTIONS).iter().for_each(Attempt::expect_success);
        trial
    }

    /// Sends a request and sees to it that it is done or a clear 503, in time.
    fn send(&self, operation: Operation) -> Attempt {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let (id, mark, user) = (self.ids[next], format!("mark {next}"), &self.user);
        let (key, titled) = (next.to_string(), json!({ "title": mark }));
        let sent = Instant::now();
        let reply = match operation {
            List => user.list("?limit=3"),
            Get => user.get(id),
            Create => user.create(&titled),
            CreateOnce => user.create_once(&key, &titled),
            Update => user.update(id, &[], &titled),
            Complete => user.complete(id, &[], r#"{"completed":true}"#),
            Toggle => user.complete(id, &[], ""),
            Delete => user.delete(id, &[]),
        };
        let took = sent.elapsed();
        assert!(took < LIMIT, "{operation:?} took {took:?}");
        if !matches!(reply.status, 200 | 201) {
            reply.expect_problem(503, "database_unavailable");
            assert_eq!(reply.header("retry-after"), "1");
        }
        let attempt = Attempt { operation, id, mark, reply, took };
        self.attempts.lock().unwrap().push(attempt.clone());
        attempt
    }

    /// Sends these at once.
    fn send_all(&self, operations: &[Operation]) -> Vec<Attempt> {
        thread::scope(|scope| {
            let start = |operation: &Operation| {
                let operation = *operation;
                scope.spawn(move || self.send(operation))
            };
            let threads: Vec<_> = operations.iter().map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Sends a keyed create again, as clients do, until it is acknowledged.
    fn insist(&self, attempt: &Attempt) {
        let again = || self.user.create_once(&attempt.mark[5..], &json!({ "title": attempt.mark }));
        let mut patience = 0..20;
        while again().status != 201 {
            patience.next().expect("an answer in the end");
        }
    }

    /// Looks at the database itself: what was acknowledged is there once, the rest once or never, or
    /// never where the answer does not leave it open. Says so for the table.
    fn stored(&self) -> String {
        let session = Session::open(&self.fragile.url);
        // What the functions gave up may still run.
        let running = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
            AND state <> 'idle' AND pid <> pg_backend_pid()";
        until("the server is at rest", || session.run(running).is_empty());
        let rows = session.run(&format!(
            "SELECT concat_ws('|', id, version, completed, title) FROM tasks WHERE user_id = '{}'",
            self.user.id
        ));
        let attempts = self.attempts.lock().unwrap();
        let (mut acknowledged, mut failed, mut failed_but_stored) = (0, 0, 0);
        for attempt in attempts.iter() {
            let times = attempt.times(&rows);
            let is_read = matches!(attempt.operation, List | Get);
            if attempt.done() {
                acknowledged += 1;
                assert!(times == 1 || is_read, "{attempt} is stored {times} times");
            } else {
                failed += 1;
                failed_but_stored += times;
                let known = !attempt.reply.body["detail"].as_str().unwrap().contains("not known");
                let most = usize::from(!known || is_read);
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

    /// Success where a second run does no harm, else nothing in particular.
    fn expect_success_of_repeated(&self) {
        if self.operation.repeats() {
            self.expect_success();
        }
    }

    /// How often it was done, by the user's rows.
    fn times(&self, rows: &[String]) -> usize {
        let of_id = format!("{}|", self.id);
        let row = rows.iter().find_map(|row| row.strip_prefix(&of_id));
        let title = format!("|{}", self.mark);
        match self.operation {
            List | Get => 0,
            Create | CreateOnce => rows.iter().filter(|row| row.ends_with(&title)).count(),
            Update => usize::from(row.unwrap().ends_with(&title)),
            Complete => usize::from(row.unwrap().contains("|t|")),
            Toggle => row.unwrap().split('|').next().unwrap().parse::<usize>().unwrap() - 1,
            Delete => usize::from(row.is_none()),
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} {} ({} after {:?})",
            self.operation, self.mark, self.reply.status, self.took
        )
    }
}

/// Waits until it is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < patience, "not yet: {what}");
        sleep(Duration::from_millis(20));
    }
}

/// A row of the table: the fault, what the client saw, how long it took, what is stored.
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
