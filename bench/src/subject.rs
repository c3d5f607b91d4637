//! What is measured: the programs, and a database with tasks in it.
use anyhow::{Context, Result};
use hyper::body::Bytes;
use serde_json::json;
use tests::Part;

use crate::caller::{Ask, Caller};
use crate::functions::{COMPLETE, CREATE, DELETE, GET, LIST, UPDATE};
use crate::programs::{Program, compare};
use crate::query;

pub(crate) const USER: &str = "bench";
pub(crate) const USER_TASKS: u32 = 1000;
pub(crate) const SMALL_USER: &str = "bench-10";
pub(crate) const LARGE_USER: &str = "bench-1000000";

/// What is measured on.
pub(crate) struct Subject {
    pub(crate) database: Part,
    /// The functions' URL without TLS.
    pub(crate) programs: Vec<Program>,
}

impl Subject {
    pub(crate) async fn new(programs: Vec<Program>) -> Result<Self> {
        let database = Part::start_with(&["database", "--connections", "200", "--quiet"], &[]);
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
        let subject = Self { database, programs };
        for (program, event) in
            [(LIST, Self::list()?), (GET, Self::event_of(GET, subject.task().await?)?)]
        {
            compare(&subject.programs, program, &event, &subject.database.url).await?;
        }
        Ok(subject)
    }

    /// The URL that a program is given: ours its own login's, the peers the owner's, since they know no roles.
    pub(crate) fn url(&self, program: &Program) -> &str {
        match program {
            Program::Rust => &self.database.functions_url,
            Program::FastApi(_) | Program::Hono(_) => &self.database.url,
        }
    }

    pub(crate) fn url_without_tls(&self, program: &Program) -> Result<String> {
        let (address, _) = self.url(program).split_once('?').context("a URL without TLS")?;
        Ok(format!("{address}?sslmode=disable"))
    }

    pub(crate) fn list() -> Result<Bytes> {
        Caller::new(USER).event(LIST, Ask::default())
    }

    fn event_of(function: &str, task: i64) -> Result<Bytes> {
        let body = match function {
            UPDATE => Some(json!({ "title": "Another title than before" })),
            COMPLETE => Some(json!({ "completed": true })),
            _ => None,
        };
        Caller::new(USER).event(function, Ask { task: Some(task), body, ..Ask::default() })
    }

    async fn task(&self) -> Result<i64> {
        let newest = format!("SELECT max(id) FROM tasks WHERE user_id = '{USER}'");
        Ok(query(&self.database.url, &newest).await?.concat().parse()?)
    }

    /// As many requests to a function as are measured at a time; a delete has a task of its own for each.
    pub(crate) async fn events(&self, function: &str, count: usize) -> Result<Vec<Bytes>> {
        match function {
            LIST => Ok(vec![Self::list()?; count]),
            CREATE => {
                let body = json!({ "title": "A new task", "description": "as one writes it" });
                let ask = Ask { body: Some(body), ..Ask::default() };
                Ok(vec![Caller::new("bench-creates").event(CREATE, ask)?; count])
            }
            DELETE => {
                let fill = format!(
                    "INSERT INTO tasks (user_id, title) SELECT '{USER}', 'to be deleted'
                     FROM generate_series(1, {count}) RETURNING id"
                );
                let tasks = query(&self.database.url, &fill).await?;
                tasks.iter().map(|task| Self::event_of(DELETE, task.parse()?)).collect()
            }
            _ => Ok(vec![Self::event_of(function, self.task().await?)?; count]),
        }
    }
}

/// A value for each of the programs, in their order.
pub(crate) type Each<T> = [T; 3];
