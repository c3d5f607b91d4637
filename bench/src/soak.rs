//! A long, mixed load. Every answer is checked, and at the end all acknowledged tasks are compared
//! with those in the database.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tests::{Fixture, operation};
use tokio::time::sleep;
use tokio::try_join;

use crate::caller::{Caller, expect};
use crate::functions::{Functions, LIST};
use crate::{chance, query};

/// Sandboxes of each function.
const SANDBOXES: usize = 2;
/// Concurrent users, each with one request at a time.
const USERS: usize = 8;
/// A user deletes tasks above this number, so that one page shows all of them.
const MOST_TASKS: usize = 90;

/// A user, and the tasks that the API acknowledged.
struct User {
    caller: Caller,
    tasks: BTreeMap<i64, Value>,
    keys: u64,
    requests: u64,
}

impl User {
    fn new(number: usize) -> Self {
        let caller = Caller::new(&format!("soak-{number}"));
        Self { caller, tasks: BTreeMap::new(), keys: 0, requests: 0 }
    }

    /// Sends one request after the other until then.
    async fn work(mut self, functions: &Functions, end: Instant) -> Result<Self> {
        while Instant::now() < end {
            self.act(functions).await?;
            self.requests += 1;
        }
        Ok(self)
    }

    /// Sends one request and checks its answer.
    async fn act(&mut self, functions: &Functions) -> Result<()> {
        let some = self.tasks.keys().nth(chance(self.tasks.len().max(1))).copied();
        match (chance(100), some) {
            (0..40, _) => self.list(functions).await,
            (40..60, Some(id)) => {
                let get = operation("get-task").example();
                let task = expect(functions.ask(&self.caller, &get, id).await?, 200)?;
                ensure!(self.tasks.get(&id) == Some(&task), "the wrong task: {task}");
                Ok(())
            }
            (60..72, Some(id)) => {
                let body = json!({ "title": format!("changed {}", chance(1_000_000)) });
                self.change(functions, "update-task", id, Some(body)).await
            }
            (72..84, Some(id)) => {
                let body = (chance(2) == 0).then(|| json!({ "completed": chance(2) == 0 }));
                self.change(functions, "complete-task", id, body).await
            }
            (84..91, Some(id)) => self.delete(functions, id).await,
            (91, _) => self.clear(functions).await,
            (_, Some(id)) if self.tasks.len() > MOST_TASKS => self.delete(functions, id).await,
            _ => self.create(functions).await,
        }
    }

    async fn list(&self, functions: &Functions) -> Result<()> {
        let all = operation(LIST).example().with_query("limit=100");
        let list = expect(functions.ask(&self.caller, &all, 0).await?, 200)?;
        let expected: Vec<_> = self.tasks.values().rev().collect();
        ensure!(list == json!(expected), "the wrong list, of {:?}", list.as_array().map(Vec::len));
        Ok(())
    }

    async fn create(&mut self, functions: &Functions) -> Result<()> {
        self.keys += 1;
        let key = format!("{}-{}", self.caller.user, self.keys);
        let body = json!({ "title": format!("task {key}"), "description": "as many do" });
        // Some with a key, and some of these twice, as after a lost answer.
        let times = chance(3);
        let mut create = operation("create-task").example().without_key().with_body(&body);
        if times > 0 {
            create = create.with_header("idempotency-key", key);
        }
        let task = expect(functions.ask(&self.caller, &create, 0).await?, 201)?;
        if times == 2 {
            let again = functions.ask(&self.caller, &create, 0).await?;
            let replayed = again.headers.contains_key("idempotent-replayed");
            ensure!(expect(again, 201)? == task && replayed, "a second task for one key: {task}");
        }
        let id = task.get("id").and_then(Value::as_i64).context("a task without an id")?;
        ensure!(self.tasks.insert(id, task).is_none(), "a repeated id: {id}");
        Ok(())
    }

    async fn change(
        &mut self,
        functions: &Functions,
        function: &str,
        id: i64,
        body: Option<Value>,
    ) -> Result<()> {
        let mut request = operation(function).example().without_key().without_body();
        if let Some(body) = &body {
            request = request.with_body(body);
        }
        let task = expect(functions.ask(&self.caller, &request, id).await?, 200)?;
        let mut expected = self.tasks.get(&id).cloned().unwrap_or_default();
        let (changes, was) = (body.unwrap_or_default(), expected.clone());
        if let Some(members) = expected.as_object_mut() {
            let toggled = (function == "complete-task")
                .then(|| json!(was.get("completed") == Some(&json!(false))));
            members.extend(toggled.map(|toggled| ("completed".to_owned(), toggled)));
            members.extend(changes.as_object().cloned().unwrap_or_default());
            members.extend(task.get("updated_at").map(|at| ("updated_at".to_owned(), at.clone())));
        }
        ensure!(task == expected, "{task} instead of {expected}");
        self.tasks.insert(id, task);
        Ok(())
    }

    async fn delete(&mut self, functions: &Functions, id: i64) -> Result<()> {
        let delete = operation("delete-task").example();
        let task = expect(functions.ask(&self.caller, &delete, id).await?, 200)?;
        ensure!(self.tasks.remove(&id) == Some(task), "the delete of {id} returned another task");
        Ok(())
    }

    async fn clear(&mut self, functions: &Functions) -> Result<()> {
        let before = self.tasks.len();
        self.tasks.retain(|_, task| task.get("completed") == Some(&json!(false)));
        let cleared = functions.ask(&self.caller, &operation("clear-tasks").example(), 0).await?;
        let expected = json!({ "deleted": before - self.tasks.len(), "more": false });
        ensure!(expect(cleared, 200)? == expected, "the answer is not {expected}");
        Ok(())
    }
}

/// The resources that all sandboxes use.
#[derive(Debug)]
struct InUse {
    memory: u64,
    descriptors: usize,
    connections: u64,
}

impl InUse {
    async fn now(functions: &Functions, database: &str) -> Result<Self> {
        let connections =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'bench-%'";
        let connections = query(database, connections).await?.concat().parse()?;
        let (mut memory, mut descriptors) = (0, 0);
        for sandbox in functions.sandboxes() {
            memory += sandbox.memory()?;
            descriptors += sandbox.descriptors()?;
        }
        Ok(Self { memory, descriptors, connections })
    }
}

/// Runs the load for `duration`; fails at the first wrong answer.
pub(crate) async fn run(duration: Duration) -> Result<()> {
    let database = Fixture::start_with(&["database", "--connections", "100", "--quiet"], &[]);
    let functions = Functions::start(SANDBOXES, &database.functions_url).await?;
    let end = Instant::now() + duration;
    let work = try_join_all((0..USERS).map(|number| User::new(number).work(&functions, end)));
    let early = async {
        sleep(duration / 5).await;
        InUse::now(&functions, &database.url).await
    };
    let (users, early) = try_join!(work, early)?;

    let unasked = functions.unasked();
    ensure!(
        unasked.is_empty(),
        "{unasked:?} had no request: User::act of bench/src/soak.rs sends them"
    );
    let late = InUse::now(&functions, &database.url).await?;
    println!(
        "Resources after a fifth of the time: {early:?}; at the end: {late:?} (memory in KiB)."
    );
    ensure!(late.memory <= early.memory + early.memory / 20, "the memory grows");
    ensure!(late.descriptors <= early.descriptors, "the number of open files grows");
    ensure!(
        late.connections <= functions.sandboxes().count() as u64,
        "more connections than sandboxes"
    );

    let (mut count, mut sent) = (0, 0);
    for User { caller, tasks, requests, .. } in users {
        let rows = format!(
            "SELECT to_jsonb(tasks) - '{{version,created_at,updated_at}}'::text[] FROM tasks WHERE user_id = '{}' ORDER BY id",
            caller.user
        );
        let rows = query(&database.url, &rows).await?;
        let rows: Vec<Value> = rows.iter().map(|row| row.parse()).collect::<Result<_, _>>()?;
        let expected: Vec<Value> = tasks.into_values().map(without_times).collect();
        ensure!(rows == expected, "{}: stored {rows:?}, acknowledged {expected:?}", caller.user);
        (count, sent) = (count + rows.len(), sent + requests);
    }
    println!("{USERS} users sent {sent} requests. All {count} acknowledged tasks are stored.");
    Ok(())
}

/// Removes the times, which PostgreSQL's JSON writes in another format.
fn without_times(mut task: Value) -> Value {
    if let Some(members) = task.as_object_mut() {
        members.retain(|name, _| !name.ends_with("_at"));
    }
    task
}
