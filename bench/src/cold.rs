//! Cold starts: from exec to the first answer.
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use hyper::body::Bytes;
use serde_json::json;
use tests::{Fixture, Reply, SETTINGS, Sandbox};

use crate::caller::expect;
use crate::functions::LIST;
use crate::programs::Program;
use crate::stats::{Series, millis};
use crate::subject::{Each, Subject};

/// Cold starts of each kind.
const COLD_ROUNDS: usize = 15;
/// Those with a sandbox's CPU take seconds.
const THROTTLED_ROUNDS: usize = 3;

/// What the cold starts of a program took, a value each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cold {
    /// User and system CPU, in ms.
    pub(crate) cpu: Series,
    pub(crate) system: Series,
    /// By the clock, in ms.
    pub(crate) wall: Series,
    /// At its peak, in MB.
    pub(crate) memory: Series,
}

impl Cold {
    /// One more cold start.
    pub(crate) async fn measure(&mut self, program: Command, event: &Bytes) -> Result<()> {
        let started = Instant::now();
        let sandbox = Sandbox::start(program).await?;
        expect(Reply::read(&sandbox.invoke(event.clone()).await?.body)?, 200)?;
        let wall = started.elapsed();
        let memory = sandbox.peak_memory()?;
        let used = sandbox.end()?;
        self.cpu.push(millis(used.utime + used.stime));
        self.system.push(millis(used.stime));
        self.wall.push(millis(wall));
        self.memory.push(memory as f64 * 1024.0 / 1e6);
        Ok(())
    }
}

/// Lambda gives a full core at 1769 MB, and less in proportion.
const SHARE: f64 = 128.0 / 1769.0;
/// In pieces of this length.
const PERIOD: Duration = Duration::from_millis(20);

/// A group of processes that has the CPU of a sandbox with 128 MB.
struct Throttle {
    folder: PathBuf,
}

impl Throttle {
    /// `None` where the kernel or our rights do not allow it.
    fn new() -> Option<Self> {
        let period = PERIOD.as_micros();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let quota = (PERIOD.as_secs_f64() * 1e6 * SHARE) as u64;
        let first = Path::new("/sys/fs/cgroup/cpu");
        let second = Path::new("/sys/fs/cgroup");
        let (parent, settings) = if first.join("cpu.cfs_quota_us").exists() {
            let settings = vec![
                ("cpu.cfs_period_us", period.to_string()),
                ("cpu.cfs_quota_us", quota.to_string()),
            ];
            (first, settings)
        } else {
            (second, vec![("cpu.max", format!("{quota} {period}"))])
        };
        let folder = parent.join("task-api-bench");
        fs::create_dir_all(&folder).ok()?;
        let throttle = Self { folder };
        for (name, value) in settings {
            fs::write(throttle.folder.join(name), value).ok()?;
        }
        Some(throttle)
    }

    /// How long a cold start takes by the clock, in ms.
    async fn measure(&self, program: &Command, event: &Bytes) -> Result<f64> {
        // The shell joins the group and waits, so that its own start is over before the clock runs.
        let mut shell = Command::new("sh");
        let script =
            format!("echo $$ > {}/cgroup.procs && read _ && exec \"$@\"", self.folder.display());
        shell.args(["-c", &script, "sh"]).arg(program.get_program()).args(program.get_args());
        shell.env_clear();
        for (name, value) in program.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        if let Some(folder) = program.get_current_dir() {
            shell.current_dir(folder);
        }
        shell.stdout(Stdio::null());
        let (sandbox, mut start) = Sandbox::start_held(shell).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let started = Instant::now();
        start.write_all(b"\n")?;
        expect(Reply::read(&sandbox.invoke(event.clone()).await?.body)?, 200)?;
        Ok(millis(started.elapsed()))
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        // Fails only while a process of the group has not ended yet.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Cold starts with TLS, SCRAM and channel binding; without TLS; and by the clock with the CPU of 128 MB.
pub(crate) struct ColdResults {
    pub(crate) tls: Each<Cold>,
    pub(crate) plain: Each<Cold>,
    pub(crate) throttled: Option<Each<Series>>,
    /// Ours, with its settings from Secrets Manager.
    pub(crate) secret: Cold,
}

pub(crate) async fn measure(subject: &Subject) -> Result<ColdResults> {
    println!("Cold starts …");
    let event = Subject::list();
    let aws = Fixture::start("aws", &[]);
    put_secret(&aws.url, &subject.database.functions_url).await?;
    let (mut tls, mut plain) = (Each::<Cold>::default(), Each::<Cold>::default());
    let mut secret = Cold::default();
    for round in 0..=COLD_ROUNDS {
        if round == 1 {
            // The first one fills the caches of the file system.
            (tls, plain, secret) = Default::default();
        }
        for (index, program) in subject.programs.iter().enumerate() {
            let with_tls = program.command(LIST, subject.url(program));
            let without = program.command(LIST, &subject.url_without_tls(program)?);
            for (results, command) in [(&mut tls, with_tls), (&mut plain, without)] {
                if let Some(cold) = results.get_mut(index) {
                    cold.measure(command, &event).await?;
                }
            }
        }
        let mut command = Program::Rust.command(LIST, "");
        for (name, _) in SETTINGS {
            command.env_remove(name);
        }
        command
            .env_remove("DATABASE_URL")
            .env("APP_SECRET_ID", SECRET_ID)
            .env("AWS_ENDPOINT_URL", &aws.url);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        secret.measure(command, &event).await?;
    }

    let mut throttled = None;
    if let Some(throttle) = Throttle::new() {
        let mut walls = Each::<Series>::default();
        for _ in 0..THROTTLED_ROUNDS {
            for (program, wall) in subject.programs.iter().zip(&mut walls) {
                let command = program.command(LIST, subject.url(program));
                wall.push(throttle.measure(&command, &event).await?);
            }
        }
        throttled = Some(walls);
    }
    Ok(ColdResults { tls, plain, throttled, secret })
}

const SECRET_ID: &str = "task-api/bench";

async fn put_secret(aws: &str, database_url: &str) -> Result<()> {
    let mut settings: BTreeMap<_, _> = SETTINGS.into();
    settings.insert("DATABASE_URL", database_url);
    let (aws, settings) = (aws.to_owned(), json!(settings).to_string());
    Ok(tokio::task::spawn_blocking(move || tests::create_secret(&aws, SECRET_ID, &settings))
        .await?)
}
