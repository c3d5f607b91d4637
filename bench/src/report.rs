//! The report: everything that was measured, in tables, ratios and plots.
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::cold::{self, ColdResults};
use crate::functions::LIST;
use crate::growth::{self, GrowthResults};
use crate::plot::{Bar, bars, lines};
use crate::programs::{self, Program};
use crate::sizes::{self, Size};
use crate::stats::{Series, short};
use crate::subject::Subject;
use crate::throughput::{self, SANDBOXES, ThroughputResults};
use crate::trips::{self, TripResults};
use crate::warm::{self, WarmResults};

/// The programs, in the order in which they are measured.
const NAMES: [&str; 3] = ["Rust", "FastAPI", "Hono"];

/// Measures everything and writes `bench/REPORT.md` and its plots.
pub(crate) async fn run() -> Result<()> {
    let started = Instant::now();
    let subject = Subject::new(programs::all()?).await?;
    let results = Results {
        cold: cold::measure(&subject).await?,
        warm: warm::measure(&subject).await?,
        throughput: throughput::measure(&subject).await?,
        growth: growth::measure(&subject).await?,
        trips: trips::measure(&subject).await?,
        sizes: sizes::measure()?,
    };

    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plots_folder = folder.join("plots");
    std::fs::create_dir_all(&plots_folder)?;
    plots(&plots_folder, &results)?;
    let mut text = String::new();
    heading(&mut text, &subject, started)?;
    goals(&mut text, &results)?;
    cold_tables(&mut text, &results.cold)?;
    warm_tables(&mut text, &results.warm)?;
    throughput_tables(&mut text, &results.throughput)?;
    growth_tables(&mut text, &results.growth)?;
    trips_table(&mut text, &results.trips)?;
    size_table(&mut text, &results.sizes)?;
    std::fs::write(folder.join("REPORT.md"), &text)?;
    println!("{text}\nWritten to bench/REPORT.md in {} s.", started.elapsed().as_secs());
    Ok(())
}

/// Everything that was measured.
struct Results {
    cold: ColdResults,
    warm: WarmResults,
    throughput: ThroughputResults,
    growth: GrowthResults,
    trips: TripResults,
    sizes: Vec<Size>,
}

fn heading(text: &mut String, subject: &Subject, started: Instant) -> Result<()> {
    let cpu = field("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism()?;
    let memory: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse()?;
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let postgres = version("postgres", &subject.database.programs.join("postgres"), "--version");
    let python = subject.programs.iter().find_map(|program| match program {
        Program::FastApi(bin) => Some(bin.join("python")),
        Program::Rust | Program::Hono(_) => None,
    });
    let versions = [
        version("Rust", Path::new("rustc"), "--version"),
        postgres,
        version("Python", &python.context("no Python")?, "--version"),
        version("Node.js", Path::new("node"), "--version"),
        "the peers' packages as pinned in [`peers/`](peers)".to_owned(),
    ];
    let minutes = started.elapsed().as_secs().div_ceil(60);
    writeln!(
        text,
        "# How fast it is

`cargo xtask bench` measured and wrote this on {date}, in {minutes} minutes, on {cores} cores of an {cpu} with {:.0} GB of memory, which other work may have used, too.
{}.

Every program ran on this machine, on one PostgreSQL, by turns, under the same Lambda Runtime API: our release binaries, and the [peers](peers/README.md), the same API as one would write it with FastAPI or Hono.
A figure is the median of its rounds; behind it, small, the middle half of them. What counts are the ratios: they are made round by round, and stay where machines differ.
",
        memory / 1e6,
        versions.join("; ")
    )?;
    Ok(())
}

fn version(name: &str, program: &Path, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let said = said.unwrap_or_default();
    let number = said.split_whitespace().find(|word| word.chars().any(|c| c.is_ascii_digit()));
    format!("{name} {}", number.unwrap_or("?").trim_start_matches('v'))
}

/// A field of a file of the kernel's, the first of that name.
fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let field = fields.find(|(key, _)| key.trim() == name);
    field.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// A row of a table.
fn row(text: &mut String, cells: &[String]) -> Result<()> {
    Ok(writeln!(text, "| {} |", cells.join(" | "))?)
}

/// The head of a table, numbers to the right.
fn head(text: &mut String, cells: &[&str]) -> Result<()> {
    writeln!(text, "| {} |", cells.join(" | "))?;
    Ok(writeln!(text, "| --- |{}", " ---: |".repeat(cells.len() - 1))?)
}

fn goals(text: &mut String, results: &Results) -> Result<()> {
    let Results { cold, warm, growth, sizes, trips, .. } = results;
    let [ours, fastapi, hono] = &cold.tls;
    let [_, statement, transaction] = &warm.limits;
    let list = warm.list()?;
    let depth = growth.depth()?;
    let zip = |of: fn(&Size) -> f64| sizes.iter().map(of).fold(0.0, f64::max);
    let warm_trips = trips.operations.iter().map(|(_, trips)| trips.warm).max().unwrap_or_default();
    writeln!(text, "## At a glance\n\n![CPU of a cold start](plots/cold.svg)\n")?;
    head(text, &["", "goal", "measured", "met"])?;
    let mut goal = |what: &str, goal: &str, measured: String, met: bool| {
        row(text, &[what.into(), goal.into(), measured, if met { "yes" } else { "**no**" }.into()])
    };
    let times = |series: &Series| format!("{series} times");
    let (of_fastapi, of_hono) = (fastapi.cpu.ratio(&ours.cpu), hono.cpu.ratio(&ours.cpu));
    goal(
        "cold start, CPU, with TLS and SCRAM",
        "at most 4 ms",
        format!("{} ms", ours.cpu),
        ours.cpu.median() <= 4.0,
    )?;
    goal(
        "FastAPI's, in ours",
        "100 times or more",
        times(&of_fastapi),
        of_fastapi.median() >= 100.0,
    )?;
    goal("Hono's, in ours", "25 times or more", times(&of_hono), of_hono.median() >= 25.0)?;
    let ratio = list.p50.ratio(statement);
    goal(
        "warm list of 50, p50, in pgbench's prepared statement",
        "at most 2 times",
        times(&ratio),
        ratio.median() <= 2.0,
    )?;
    let ratio = list.p50.ratio(transaction);
    goal("the same in pgbench's pipelined transaction", "", times(&ratio), true)?;
    let ratio = list.p99.ratio(&list.p50);
    goal("its p99 in its p50", "at most 3 times", times(&ratio), ratio.median() <= 3.0)?;
    goal(
        "memory at its peak",
        "at most 8 MB",
        format!("{} MB", ours.memory),
        ours.memory.median() <= 8.0,
    )?;
    goal(
        "zip of a function",
        "at most 2.5 MB",
        format!("{} MB", short(zip(|size| size.zip))),
        zip(|size| size.zip) <= 2.5,
    )?;
    goal(
        "the same without Secrets Manager",
        "at most 1.5 MB",
        format!("{} MB", short(zip(|size| size.zip_without))),
        zip(|size| size.zip_without) <= 1.5,
    )?;
    goal("round trips of a warm request", "1", warm_trips.to_string(), warm_trips == 1)?;
    goal("page 10,000 in page 1", "at most 1.1 times", times(&depth), depth.median() <= 1.1)?;
    writeln!(text)?;
    Ok(())
}

fn cold_tables(text: &mut String, cold: &ColdResults) -> Result<()> {
    writeln!(
        text,
        "## Cold starts\n\nA list of 50 tasks, from exec to the first answer, settings in variables. CPU is user and system time as the kernel counts it for the process; by the clock, other processes count, too.\n"
    )?;
    head(
        text,
        &["", "CPU, ms", "of it system", "by the clock, ms", "memory, MB", "CPU without TLS, ms"],
    )?;
    for ((name, tls), plain) in NAMES.iter().zip(&cold.tls).zip(&cold.plain) {
        row(
            text,
            &[
                (*name).into(),
                tls.cpu.to_string(),
                tls.system.to_string(),
                tls.wall.to_string(),
                tls.memory.to_string(),
                plain.cpu.to_string(),
            ],
        )?;
    }
    let secret = &cold.secret;
    row(
        text,
        &[
            "Rust, settings from Secrets Manager".into(),
            secret.cpu.to_string(),
            secret.system.to_string(),
            secret.wall.to_string(),
            secret.memory.to_string(),
            String::new(),
        ],
    )?;
    writeln!(
        text,
        "\nWith TLS: TLS 1.3, SCRAM-SHA-256 with channel binding, the server's certificate verified. Secrets Manager is a local one, over HTTP.\n"
    )?;
    match &cold.throttled {
        Some(walls) => {
            writeln!(
                text,
                "With the CPU of a sandbox of 128 MB, 128/1769 of a core in pieces of 20 ms (a cgroup's quota), by the clock. Lambda starts a sandbox with more than that: this is the worst case.\n"
            )?;
            head(text, &["", "ms", "in ours"])?;
            for (name, wall) in NAMES.iter().zip(walls) {
                row(text, &[(*name).into(), wall.to_string(), wall.ratio(&walls[0]).to_string()])?;
            }
            writeln!(text)?;
        }
        None => writeln!(
            text,
            "The CPU of a 128 MB sandbox was not played: there was no right to make a cgroup.\n"
        )?,
    }
    Ok(())
}

fn warm_tables(text: &mut String, warm: &WarmResults) -> Result<()> {
    writeln!(
        text,
        "## Warm requests\n\n![Latency of a warm list](plots/warm.svg)\n\nOne request after the other to one sandbox, with TLS, in µs from the event to its answer. Row-level security, the role and the time limits are in ours, not in the peers'. The CPU of threads that have ended is not counted, which FastAPI's are.\n"
    )?;
    head(text, &["", "p50", "p99", "p99.9", "CPU a request", "p50 in ours"])?;
    for (function, results) in &warm.operations {
        for (name, result) in NAMES.iter().zip(results) {
            row(
                text,
                &[
                    format!("{function}, {name}"),
                    result.p50.to_string(),
                    result.p99.to_string(),
                    result.p999.to_string(),
                    result.cpu.to_string(),
                    result.p50.ratio(&results[0].p50).to_string(),
                ],
            )?;
        }
    }
    let [nothing, statement, transaction] = &warm.limits;
    let list = &warm.list()?.p50;
    writeln!(
        text,
        "\nThe limit: what pgbench takes on the same server in the same rounds, over TLS, prepared.\n"
    )?;
    head(text, &["", "p50, µs", "our list in it"])?;
    for (name, limit) in [
        ("the bare round trip (`SELECT 1`)", nothing),
        ("the list's statement alone", statement),
        ("our four messages, pipelined", transaction),
    ] {
        row(text, &[name.into(), limit.to_string(), list.ratio(limit).to_string()])?;
    }
    writeln!(text)?;
    Ok(())
}

fn throughput_tables(text: &mut String, results: &ThroughputResults) -> Result<()> {
    writeln!(
        text,
        "## Throughput\n\nLists of 50 tasks a second, with database and harness on the same cores.\n"
    )?;
    head(text, &["", "one sandbox", &format!("{SANDBOXES} sandboxes"), "the latter in FastAPI's"])?;
    for ((name, one), several) in NAMES.iter().zip(&results.one).zip(&results.several) {
        row(
            text,
            &[
                (*name).into(),
                one.to_string(),
                several.to_string(),
                several.ratio(&results.several[1]).to_string(),
            ],
        )?;
    }
    row(
        text,
        &[
            "FastAPI under uvicorn, no Lambda".into(),
            String::new(),
            results.server.to_string(),
            results.server.ratio(&results.several[1]).to_string(),
        ],
    )?;
    writeln!(
        text,
        "\nOne process of ours that serves many requests at once (Lambda Managed Instances; `AWS_LAMBDA_MAX_CONCURRENCY`), and pgbench's pipelined transaction with as many clients.\n"
    )?;
    head(text, &["at once", "ours", "pgbench", "ours in pgbench's"])?;
    for (at_once, ours, pgbench) in &results.concurrent {
        row(
            text,
            &[
                at_once.to_string(),
                ours.to_string(),
                pgbench.to_string(),
                ours.ratio(pgbench).to_string(),
            ],
        )?;
    }
    writeln!(text)?;
    Ok(())
}

fn growth_tables(text: &mut String, growth: &GrowthResults) -> Result<()> {
    writeln!(
        text,
        "## Growth\n\n![Latency by page](plots/growth.svg)\n\nThe list of a user with a million tasks, p50 in µs; ours by the cursor of the `Link`, the peers' by `offset`.\n"
    )?;
    head(text, &["page", NAMES[0], NAMES[1], NAMES[2], "ours in page 1"])?;
    let first = growth.pages.first().map(|(_, results)| results[0].clone()).unwrap_or_default();
    for (page, results) in &growth.pages {
        let [ours, fastapi, hono] = results;
        row(
            text,
            &[
                page.to_string(),
                ours.to_string(),
                fastapi.to_string(),
                hono.to_string(),
                ours.ratio(&first).to_string(),
            ],
        )?;
    }
    writeln!(text, "\nTen tasks of a user who has\n")?;
    head(text, &["tasks", "p50, µs"])?;
    for (tasks, series) in &growth.users {
        row(text, &[tasks.to_string(), series.to_string()])?;
    }
    writeln!(text)?;
    Ok(())
}

fn trips_table(text: &mut String, trips: &TripResults) -> Result<()> {
    writeln!(
        text,
        "## Round trips\n\nCounted on the wire between function and database, by a proxy that adds a delay where one is named. Cold: one for TCP and {} more until the first answer. Six is what TLS and SCRAM leave: the wish for TLS; TLS 1.3; the login's start and the two exchanges of SCRAM; the request. PostgreSQL 17 and newer need no wish (`sslnegotiation=direct`).\n",
        trips.cold
    )?;
    head(text, &["", "round trips, warm", "p50, ms", "with 1 ms more each way", "with 5 ms"])?;
    for (function, operation) in &trips.operations {
        let [none, one, five] = operation.latencies.map(short);
        row(text, &[(*function).into(), operation.warm.to_string(), none, one, five])?;
    }
    writeln!(text)?;
    Ok(())
}

fn size_table(text: &mut String, sizes: &[Size]) -> Result<()> {
    writeln!(
        text,
        "## Size\n\nIn MB, as `cargo lambda build --release` makes them; without Secrets Manager: `--no-default-features`.\n"
    )?;
    head(text, &["", "binary", "zip", "binary without Secrets Manager", "zip without it"])?;
    for size in sizes {
        row(
            text,
            &[
                size.function.into(),
                short(size.binary),
                short(size.zip),
                short(size.binary_without),
                short(size.zip_without),
            ],
        )?;
    }
    Ok(())
}

fn plots(folder: &Path, results: &Results) -> Result<()> {
    let Results { cold, warm, growth, .. } = results;
    let of = |values: [f64; 3]| {
        let named = NAMES.iter().zip(values).enumerate();
        named
            .map(|(colour, (name, value))| Bar { label: (*name).into(), value, colour })
            .collect::<Vec<_>>()
    };
    let cpu = of([0, 1, 2].map(|index| cold.tls[index].cpu.median()));
    bars(
        &folder.join("cold.svg"),
        "CPU from exec to the first answer, with TLS and SCRAM",
        "ms",
        &cpu,
    )?;
    let list = &warm.operation(LIST)?;
    let mut latency = of([0, 1, 2].map(|index| list[index].p50.median()));
    let limit = warm.limits[2].median();
    latency.push(Bar { label: "pgbench, the same".into(), value: limit, colour: 3 });
    bars(&folder.join("warm.svg"), "A warm list of 50 tasks, p50", "µs", &latency)?;
    let depth: Vec<_> = (0..3)
        .map(|index| {
            let points =
                growth.pages.iter().map(|(page, results)| (*page as f64, results[index].median()));
            (NAMES[index], points.collect())
        })
        .collect();
    lines(&folder.join("growth.svg"), "A page of a million tasks, p50", ["page", "µs"], &depth)
}
