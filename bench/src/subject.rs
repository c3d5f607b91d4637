//! The setup of a measurement: the programs, and a database with tasks.
use anyhow::{Context, Result, ensure};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tests::{Fixture, Operation, Reply, operation};

use crate::caller::{Caller, expect};
use crate::functions::LIST;
use crate::programs::Program;
use crate::query;

pub(crate) const USER: &str = "bench";
pub(crate) const USER_TASKS: u32 = 1000;
pub(crate) const SMALL_USER: &str = "bench-10";
pub(crate) const LARGE_USER: &str = "bench-1000000";

/// The operations of the tutorial's backend, which the peers serve.
const TUTORIAL: [&str; 5] = [LIST, "create-task", "update-task", "delete-task", "complete-task"];
/// Operations that the peers lack, but the load and the report have.
const MORE: [&str; 2] = ["get-task", "clear-tasks"];

/// The operations that are measured.
pub(crate) fn measured() -> impl Iterator<Item = &'static Operation> {
    TUTORIAL.into_iter().chain(MORE).map(operation)
}

/// The setup of a measurement.
pub(crate) struct Subject {
    pub(crate) database: Fixture,
    pub(crate) programs: Vec<Program>,
}

impl Subject {
    pub(crate) async fn new(programs: Vec<Program>) -> Result<Self> {
        let database = Fixture::start_with(&["database", "--connections", "200", "--quiet"], &[]);
        fill(&database).await?;
        let subject = Self { database, programs };
        for operation in measured() {
            subject.compare(operation).await?;
        }
        Ok(subject)
    }

    /// The programs that serve an operation, ours first.
    pub(crate) fn serving(&self, function: &str) -> &[Program] {
        if TUTORIAL.contains(&function) {
            &self.programs
        } else {
            self.programs.get(..1).unwrap_or_default()
        }
    }

    /// The database URL for a program: the functions use their login, the peers the owner, since
    /// they do not switch roles.
    pub(crate) fn url(&self, program: &Program) -> &str {
        match program {
            Program::Rust => &self.database.functions_url,
            Program::FastApi(_) | Program::Hono(_) => &self.database.url,
        }
    }

    pub(crate) fn list() -> Bytes {
        Caller::new(USER).event(&operation(LIST).example(), 0)
    }

    pub(crate) async fn newest(&self, user: &str) -> Result<i64> {
        let newest = format!("SELECT max(id) FROM tasks WHERE user_id = '{user}'");
        Ok(query(&self.database.url, &newest).await?.concat().parse()?)
    }

    /// The events of one measurement of an operation; each delete has its own user.
    pub(crate) async fn events(
        &self,
        operation: &'static Operation,
        count: usize,
    ) -> Result<Vec<Bytes>> {
        let request = operation.example().without_key();
        if operation.method == "DELETE" {
            let fill = format!(
                "INSERT INTO tasks (user_id, title, completed)
                 SELECT 'bench-deletes-' || n, 'to be deleted', true
                 FROM generate_series(1, {count}) n RETURNING user_id || ' ' || id"
            );
            let tasks = query(&self.database.url, &fill).await?;
            let event = |task: &String| {
                let (user, id) = task.split_once(' ').context("a user and a task")?;
                Ok(Caller::new(user).event(&request, id.parse()?))
            };
            return tasks.iter().map(event).collect();
        }
        let user = if operation.method == "POST" { "bench-creates" } else { USER };
        Ok(vec![Caller::new(user).event(&request, self.newest(USER).await?); count])
    }

    /// Checks that all programs give the same answers, so that they do the same work.
    async fn compare(&self, operation: &'static Operation) -> Result<()> {
        let (function, mut first) = (operation.function, None);
        for program in self.serving(function) {
            let name = program.name();
            // Each program changes its own task.
            let changed = format!("compare-{name}-{function}");
            let user = if operation.reads() { USER } else { &changed };
            let fill = format!(
                "INSERT INTO tasks (user_id, title, completed) VALUES ('{changed}', 'Task', true)"
            );
            query(&self.database.url, &fill).await?;
            let event = Caller::new(user)
                .event(&operation.example().without_key(), self.newest(user).await?);
            let sandbox = program.start(function, self.url(program)).await?;
            let reply = Reply::read(&sandbox.invoke(event).await?.body)?;
            let body = expect(reply, operation.success());
            let body = body.with_context(|| format!("{name} does not serve {function}"))?;
            let body = if operation.reads() { body } else { anonymous(body, user) };
            let ours = first.get_or_insert_with(|| body.clone());
            ensure!(*ours == body, "{name} answers {function} with {body} instead of {ours}");
        }
        Ok(())
    }
}

/// Fills the table with a million tasks.
pub(crate) async fn fill(database: &Fixture) -> Result<()> {
    println!("Filling the table with a million tasks …");
    for (user, count) in [(USER, USER_TASKS), (SMALL_USER, 10), (LARGE_USER, 1_000_000)] {
        let fill = format!(
            "INSERT INTO tasks (user_id, title, description, completed)
             SELECT '{user}', 'Task ' || n || ' of the benchmark', repeat('as one writes it ', 3), n % 3 = 0
             FROM generate_series(1, {count}) n"
        );
        query(&database.url, &fill).await?;
    }
    query(&database.url, "VACUUM ANALYZE tasks").await?;
    Ok(())
}

/// Masks the id, user and times of a task, so that answers compare.
fn anonymous(mut body: Value, user: &str) -> Value {
    for (name, value) in body.as_object_mut().into_iter().flatten() {
        match (name.as_str(), value.as_str()) {
            ("id", None) => *value = json!(value.is_u64()),
            ("user_id", Some(id)) => *value = json!(id == user),
            ("created_at" | "updated_at", Some(time)) => {
                *value = json!(time.replace(|c: char| c.is_ascii_digit(), "0"));
            }
            _ => {}
        }
    }
    body
}

/// One value for each program, in order.
pub(crate) type Each<T> = [T; 3];
