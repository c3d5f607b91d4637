//! Cold starts: from exec to the first answer.
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::body::Bytes;
use serde_json::json;
use shared::statement;
use tests::{Fixture, Https, Reply, SETTINGS, Sandbox, aws_variables};
use wait4::Wait4;

use crate::caller::expect;
use crate::functions::LIST;
use crate::programs::Program;
use crate::stats::{Series, millis};
use crate::subject::{Each, Subject, USER};

/// Cold starts of each kind.
const COLD_ROUNDS: usize = 15;
/// Fewer with a sandbox's CPU, since each takes seconds.
const THROTTLED_ROUNDS: usize = 3;

/// The cold starts of a program, one value each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cold {
    /// User and system CPU, in ms.
    pub(crate) cpu: Series,
    pub(crate) system: Series,
    /// Wall-clock time, in ms.
    pub(crate) wall: Series,
    /// Peak memory, in MB.
    pub(crate) memory: Series,
}

impl Cold {
    /// Measures one more cold start.
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

/// Lambda gives a full core at 1769 MB, and proportionally less below.
const SHARE: f64 = 128.0 / 1769.0;
/// The period of the CPU quota.
const PERIOD: Duration = Duration::from_millis(20);

/// A cgroup with the CPU of a 128 MB sandbox.
struct Throttle {
    folder: PathBuf,
}

impl Throttle {
    /// `None` if the kernel or our permissions do not allow it.
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

    /// The wall-clock time of a cold start, in ms.
    async fn measure(&self, program: &Command, event: &Bytes) -> Result<f64> {
        // The shell joins the group and waits, so that its own start is not measured.
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
        // Fails only while a process of the group is still running.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Cold starts with TLS, SCRAM and channel binding; without TLS; and in wall-clock time with the
/// CPU of 128 MB.
pub(crate) struct ColdResults {
    pub(crate) tls: Each<Cold>,
    pub(crate) plain: Each<Cold>,
    pub(crate) throttled: Option<Each<Series>>,
    /// As deployed: with TLS, and with the settings from Secrets Manager over HTTPS.
    pub(crate) deployed: Each<Cold>,
    /// The CPU of `psql -c` with the same list, with TLS and SCRAM, in ms.
    pub(crate) psql: Series,
}

pub(crate) async fn measure(subject: &Subject) -> Result<ColdResults> {
    println!("Cold starts …");
    let event = Subject::list();
    let aws = Fixture::start("aws", &[]);
    let https = Https::before(&aws.url, &subject.database.functions_url);
    let secrets = subject.programs.iter().enumerate();
    let secrets: Vec<_> = secrets.map(|(index, _)| format!("task-api/bench-{index}")).collect();
    for (program, secret) in subject.programs.iter().zip(&secrets) {
        put_secret(&aws.url, secret, subject.url(program)).await?;
    }
    let (mut tls, mut plain) = (Each::<Cold>::default(), Each::<Cold>::default());
    let (mut deployed, mut psql) = (Each::<Cold>::default(), Series::default());
    for round in 0..=COLD_ROUNDS {
        if round == 1 {
            // The first one fills the file system cache.
            (tls, plain, deployed, psql) = Default::default();
        }
        let kinds = tls.iter_mut().zip(&mut plain).zip(&mut deployed);
        for ((program, secret), ((tls, plain), deployed)) in
            subject.programs.iter().zip(&secrets).zip(kinds)
        {
            tls.measure(program.command(LIST, subject.url(program)), &event).await?;
            let without_tls = subject.url_without_tls(program)?;
            plain.measure(program.command(LIST, &without_tls), &event).await?;
            let what = format!("{} as deployed", program.name());
            deployed.measure(as_deployed(program, secret, &https), &event).await.context(what)?;
        }
        psql.push(psql_list(subject).await?);
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
    Ok(ColdResults { tls, plain, throttled, deployed, psql })
}

/// A program with the environment from the template.
fn as_deployed(program: &Program, secret: &str, https: &Https) -> Command {
    let mut command = program.command(LIST, "");
    for name in SETTINGS.iter().map(|(name, _)| name).chain(&["DATABASE_URL"]) {
        command.env_remove(name);
    }
    command
        .envs(aws_variables(&https.url, secret))
        .env("AWS_CA_BUNDLE", &https.authority)
        // Node.js reads this variable instead.
        .env("NODE_EXTRA_CA_CERTS", &https.authority);
    command
}

async fn put_secret(aws: &str, name: &str, database_url: &str) -> Result<()> {
    let mut settings: BTreeMap<_, _> = SETTINGS.into();
    settings.insert("DATABASE_URL", database_url);
    let settings = json!(settings).to_string();
    let (aws, name) = (aws.to_owned(), name.to_owned());
    Ok(tokio::task::spawn_blocking(move || tests::create_secret(&aws, &name, &settings)).await?)
}

/// The CPU time of `psql` for the list, in ms.
async fn psql_list(subject: &Subject) -> Result<f64> {
    let list = statement("list").context("there is no list among the statements")?;
    let values = [format!("'{USER}'"), i64::MAX.to_string(), "51".into(), "0".into()];
    let mut psql = Command::new(subject.database.programs.join("psql"));
    psql.args(["--no-psqlrc", "-c", &list.call_with(&values)]);
    psql.arg(&subject.database.functions_url).stdin(Stdio::null()).stdout(Stdio::null());
    let used = tokio::task::spawn_blocking(move || psql.spawn()?.wait4()).await??;
    ensure!(used.status.success(), "psql failed");
    Ok(millis(used.rusage.utime + used.rusage.stime))
}
