//! The report: all measurements in tables, ratios and plots.
use std::fmt::Display;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::cold::{self, Cold, ColdResults};
use crate::functions::LIST;
use crate::growth::{self, GrowthResults};
use crate::plot::{Bar, bars, lines};
use crate::programs::{self, Program};
use crate::sizes::{self, Size};
use crate::stats::{Series, short};
use crate::subject::Subject;
use crate::throughput::{self, SANDBOXES, ThroughputResults};
use crate::trips::{self, TripResults};
use crate::warm::{self, OperationResults, Warm, WarmResults};

/// The programs, in the order of measurement.
const NAMES: [&str; 3] = ["Rust", "FastAPI", "Hono"];

/// Measures everything and writes `bench/REPORT.md` and its plots.
pub(crate) async fn run() -> Result<()> {
    let started = Instant::now();
    let subject = Subject::new(programs::all()).await?;
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
    let mut report = Report(vec![heading(&subject, started)?]);
    report.goals(&results)?;
    report.cold(&results.cold);
    report.warm(&results.warm)?;
    report.throughput(&results.throughput);
    report.scale(&results)?;
    report.growth(&results.growth);
    report.trips(&results.trips);
    report.sizes(&results.sizes);
    let text = report.0.join("\n") + "\n";
    std::fs::write(folder.join("REPORT.md"), &text)?;
    println!("{text}\nWritten to bench/REPORT.md in {} s.", started.elapsed().as_secs());
    Ok(())
}

/// All measurements.
struct Results {
    cold: ColdResults,
    warm: WarmResults,
    throughput: ThroughputResults,
    growth: GrowthResults,
    trips: TripResults,
    sizes: Vec<Size>,
}

fn heading(subject: &Subject, started: Instant) -> Result<String> {
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
    Ok(format!(
        "# How fast it is

`cargo xtask bench` measured and wrote this on {date}, in {minutes} minutes, on {cores} cores of an {cpu} with {:.0} GB of memory, which other work may have used, too.
{}.

Every program ran on this machine, on one PostgreSQL, by turns, under the same Lambda Runtime API: our release binaries, and the [peers](peers/README.md), which serve the same API with FastAPI and Hono.
A figure is the median of its rounds, with the interquartile range in small print. Compare the ratios: they are computed round by round, and vary less between machines.",
        memory / 1e6,
        versions.join("; ")
    ))
}

fn version(name: &str, program: &Path, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let said = said.unwrap_or_default();
    let number = said.split_whitespace().find(|word| word.chars().any(|c| c.is_ascii_digit()));
    format!("{name} {}", number.unwrap_or("?").trim_start_matches('v'))
}

/// The first field of this name in a file under `/proc`.
fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let field = fields.find(|(key, _)| key.trim() == name);
    field.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// The lines so far; paragraphs and tables are separated by an empty line.
struct Report(Vec<String>);

impl Report {
    fn prose(&mut self, text: &str) {
        self.0.extend([String::new(), text.to_owned()]);
    }

    /// A table's head, with numbers aligned right.
    fn head(&mut self, cells: &[&str]) {
        let rule = " ---: |".repeat(cells.len() - 1);
        self.prose(&format!("| {} |\n| --- |{rule}", cells.join(" | ")));
    }

    fn row(&mut self, cells: &[&dyn Display]) {
        let cells: Vec<_> = cells.iter().map(ToString::to_string).collect();
        self.0.push(format!("| {} |", cells.join(" | ")));
    }

    fn goals(&mut self, results: &Results) -> Result<()> {
        let Results { cold, warm, growth, sizes, trips, throughput } = results;
        self.prose("## At a glance\n\n![CPU of a cold start](plots/cold.svg)");
        self.head(&["", "goal", "measured", "met"]);
        let mut goal = |what: &str, goal: &str, measured: &dyn Display, met: bool| {
            self.row(&[&what, &goal, measured, &if met { "yes" } else { "**no**" }]);
        };
        let mut at_most = |what: &str, most: f64, series: &Series| {
            goal(what, &format!("at most {most}"), series, series.median() <= most);
        };
        for operation in &warm.operations {
            let OperationResults { function, server, transaction_server, .. } = operation;
            let ours = &operation.ours().p50;
            at_most(&format!("{function}: p50 / floor"), 1.35, &ours.ratio(&operation.floor()));
            let most = if *function == LIST { 1.3 } else { 1.6 };
            let what = format!("{function}: database CPU / pgbench's");
            at_most(&what, most, &server.ratio(transaction_server));
        }
        let list = &warm.list()?.ours().p50;
        let [_, statement] = &warm.limits;
        at_most("list: p50 / pgbench's prepared statement", 2.2, &list.ratio(statement));
        at_most("list: page 10,000 / page 1", 1.1, &growth.depth()?);
        at_most("peak memory, MB", 8.0, &cold.tls[0].memory);
        for (what, most, of) in [
            ("zip of a function, MB", 3.0, (|size| size.zip) as fn(&Size) -> f64),
            ("the same without Secrets Manager, MB", 2.0, |size| size.zip_without),
        ] {
            let largest = sizes.iter().map(of).fold(0.0, f64::max);
            goal(what, &format!("at most {most}"), &short(largest), largest <= most);
        }
        let trips = trips.operations.iter().map(|(_, trips)| trips.warm).max().unwrap_or_default();
        goal("round trips of a warm request", "1", &trips, trips == 1);
        let mut at_least = |what: &str, least: f64, series: &Series| {
            goal(what, &format!("at least {least}"), series, series.median() >= least);
        };
        for OperationResults { function, programs: [ours, fastapi, hono], .. } in &warm.operations {
            at_least(&format!("{function}: Hono's p50 / ours"), 2.0, &hono.p50.ratio(&ours.p50));
            let fastapi = fastapi.p50.ratio(&ours.p50);
            at_least(&format!("{function}: FastAPI's p50 / ours"), 9.0, &fastapi);
        }
        for (what, [ours, fastapi, hono], least) in [
            ("cold CPU as deployed", &cold.deployed, [100.0, 30.0]),
            ("cold CPU with settings in variables", &cold.tls, [130.0, 40.0]),
        ] {
            let [fastapi, hono] = [fastapi, hono].map(|peer| peer.cpu.ratio(&ours.cpu));
            at_least(&format!("{what}: FastAPI's / ours"), least[0], &fastapi);
            at_least(&format!("{what}: Hono's / ours"), least[1], &hono);
        }
        for ((at_once, ours, pgbench), least) in throughput.concurrent.iter().zip([0.6, 0.6, 0.8]) {
            let what = format!("one process, {at_once} at once: ours / pgbench's");
            at_least(&what, least, &ours.ratio(pgbench));
        }
        Ok(())
    }

    fn cold(&mut self, cold: &ColdResults) {
        self.prose("## Cold starts\n\nA list of 50 tasks, from exec to the first answer. CPU is the process's user and system time; wall-clock time includes other processes. As deployed: the settings are in a local Secrets Manager and are fetched over HTTPS; the peers use their own AWS SDKs.");
        self.head(&["", "CPU, ms", "system CPU, ms", "wall clock, ms", "memory, MB", "CPU / ours"]);
        for (kind, programs) in
            [("as deployed", &cold.deployed), ("settings in variables", &cold.tls)]
        {
            for (name, Cold { cpu, system, wall, memory }) in NAMES.iter().zip(programs) {
                let in_ours = cpu.ratio(&programs[0].cpu);
                self.row(&[&format!("{name}, {kind}"), cpu, system, wall, memory, &in_ours]);
            }
        }
        for (name, plain) in NAMES.iter().zip(&cold.plain) {
            let in_ours = plain.cpu.ratio(&cold.plain[0].cpu);
            let Cold { cpu, system, wall, memory } = plain;
            self.row(&[&format!("{name}, without TLS"), cpu, system, wall, memory, &in_ours]);
        }
        let in_ours = cold.psql.ratio(&cold.tls[0].cpu);
        self.row(&[&"`psql -c` with the same list", &cold.psql, &"", &"", &"", &in_ours]);
        self.prose("TLS to the database is TLS 1.3 with SCRAM-SHA-256 and channel binding, the server's certificate verified.");
        let Some(walls) = &cold.throttled else {
            return self.prose(
                "A sandbox with the CPU of 128 MB was not measured: no permission to create a cgroup.",
            );
        };
        self.prose("Wall-clock time with the CPU of a 128 MB sandbox (a cgroup quota of 128/1769 of a core, in periods of 20 ms), settings in variables. This is the worst case: Lambda gives more CPU during init.");
        self.head(&["", "ms", "ms / ours"]);
        for (name, wall) in NAMES.iter().zip(walls) {
            self.row(&[name, wall, &wall.ratio(&walls[0])]);
        }
    }

    fn warm(&mut self, warm: &WarmResults) -> Result<()> {
        self.prose("## Warm requests\n\n![Latency of a warm list](plots/warm.svg)\n\nSequential requests to one sandbox, with TLS, in µs from the event to its answer. Ours include row-level security, the role and the time limits; the peers' do not. The CPU of ended threads, such as FastAPI's, is not counted.");
        self.head(&["", "p50", "p99", "p99.9", "CPU a request", "p50 / ours"]);
        for OperationResults { function, programs, .. } in &warm.operations {
            for (name, Warm { p50, p99, p999, cpu }) in NAMES.iter().zip(programs) {
                let in_ours = p50.ratio(&programs[0].p50);
                self.row(&[&format!("{function}, {name}"), p50, p99, p999, cpu, &in_ours]);
            }
        }
        self.prose("The distance to the lower limit. An operation's floor is the sum of two: a function on the same runtime crate that only sends an answer of the same length, and pgbench with the same statement on the same server, over TLS, prepared with a generic plan, in a transaction of four pipelined messages that sets the role and the user. The database's CPU is the CPU time of its backends for a request. For the last two columns, pgbench makes the functions' call; a function also lets the backend wait between requests, which costs wake-ups and cold caches.");
        self.head(&[
            "",
            "empty function, p50, µs",
            "pgbench, p50, µs",
            "ours / their sum",
            "database's CPU, µs",
            "pgbench's, µs",
            "ours / pgbench's",
            "our call by pgbench, µs",
            "the latter / pgbench's",
        ]);
        for operation in &warm.operations {
            let OperationResults { function, nothing, server, call_server, .. } = operation;
            let OperationResults { transaction, transaction_server, .. } = operation;
            self.row(&[
                function,
                &nothing.p50,
                transaction,
                &operation.ours().p50.ratio(&operation.floor()),
                server,
                transaction_server,
                &server.ratio(transaction_server),
                call_server,
                &call_server.ratio(transaction_server),
            ]);
        }
        self.prose("The statement alone, prepared, by pgbench over TLS.");
        self.head(&["", "p50, µs", "our list / this"]);
        let [nothing, statement] = &warm.limits;
        let list = &warm.list()?.ours().p50;
        for (name, limit) in [
            ("the bare round trip (`SELECT 1`)", nothing),
            ("the list's statement alone", statement),
        ] {
            self.row(&[&name, limit, &list.ratio(limit)]);
        }
        Ok(())
    }

    fn throughput(&mut self, results: &ThroughputResults) {
        let ThroughputResults { one, several, server, concurrent } = results;
        self.prose("## Throughput\n\nLists of 50 tasks a second, with database and harness on the same cores.");
        self.head(&[
            "",
            "one sandbox",
            &format!("{SANDBOXES} sandboxes"),
            "the latter / FastAPI's",
        ]);
        for ((name, one), some) in NAMES.iter().zip(one).zip(several) {
            self.row(&[name, one, some, &some.ratio(&several[1])]);
        }
        let in_fastapi = server.ratio(&several[1]);
        self.row(&[&"FastAPI under uvicorn, no Lambda", &"", server, &in_fastapi]);
        self.prose("One process of ours that serves many requests at once (Lambda Managed Instances; `AWS_LAMBDA_MAX_CONCURRENCY`), and pgbench's pipelined transaction with as many clients.");
        self.head(&["at once", "ours", "pgbench", "ours / pgbench's"]);
        for (at_once, ours, pgbench) in concurrent {
            self.row(&[at_once, ours, pgbench, &ours.ratio(pgbench)]);
        }
    }

    fn scale(&mut self, results: &Results) -> Result<()> {
        self.prose("## Scale\n\nWhat one core of the database serves, by its CPU for a request.");
        self.head(&["", "database's CPU, µs", "requests a second on one core"]);
        for OperationResults { function, server, .. } in &results.warm.operations {
            self.row(&[function, server, &short(1e6 / server.median())]);
        }
        let cores = std::thread::available_parallelism()?.get() as f64;
        let predicted = cores * 1e6 / results.warm.list()?.whole();
        let ThroughputResults { several: [measured, ..], concurrent, .. } = &results.throughput;
        let of_prediction = |measured: &Series| short(measured.median() / predicted);
        let mut runs =
            vec![format!("{measured} by {SANDBOXES} sandboxes ({})", of_prediction(measured))];
        for (at_once, ours, _) in concurrent.iter().filter(|(at_once, ..)| *at_once > 1) {
            let share = of_prediction(ours);
            runs.push(format!("{ours} by one process with {at_once} at once ({share})"));
        }
        self.prose(&format!(
            "The model on this machine: the CPU of one list in function, database and harness lets {cores} cores serve {} lists a second. Measured, and measured / predicted: {}.",
            short(predicted),
            runs.join(", "),
        ));
        Ok(())
    }

    fn growth(&mut self, growth: &GrowthResults) {
        self.prose("## Growth\n\n![Latency by page](plots/growth.svg)\n\nThe list of a user with a million tasks, p50 in µs; we page by the cursor of the `Link`, the peers by `offset`.");
        self.head(&["page", NAMES[0], NAMES[1], NAMES[2], "ours / page 1"]);
        let first = growth.pages.first().map(|(_, results)| results[0].clone()).unwrap_or_default();
        for (page, [ours, fastapi, hono]) in &growth.pages {
            self.row(&[page, ours, fastapi, hono, &ours.ratio(&first)]);
        }
        self.prose("A list of ten tasks, by the user's number of tasks:");
        self.head(&["tasks", "p50, µs"]);
        for (tasks, series) in &growth.users {
            self.row(&[tasks, series]);
        }
    }

    fn trips(&mut self, trips: &TripResults) {
        self.prose(&format!("## Round trips\n\nCounted by a proxy between function and database, which can add a delay. Cold: one for TCP and {} more until the first answer. Six is the minimum with TLS and SCRAM: the TLS request; TLS 1.3; the login's start and the two exchanges of SCRAM; the statement. PostgreSQL 17 and newer need no TLS request (`sslnegotiation=direct`).", trips.cold));
        self.head(&["", "round trips, warm", "p50, ms", "with 1 ms more each way", "with 5 ms"]);
        for (function, operation) in &trips.operations {
            let [none, one, five] = operation.latencies.map(short);
            self.row(&[function, &operation.warm, &none, &one, &five]);
        }
    }

    fn sizes(&mut self, sizes: &[Size]) {
        self.prose("## Size\n\nIn MB, as `cargo lambda build --release` makes them; without Secrets Manager: `--no-default-features`.");
        self.head(&["", "binary", "zip", "binary without Secrets Manager", "zip without it"]);
        for size in sizes {
            let Size { function, binary, zip, binary_without, zip_without } = size;
            let [binary, zip, binary_without, zip_without] =
                [binary, zip, binary_without, zip_without].map(|size| short(*size));
            self.row(&[function, &binary, &zip, &binary_without, &zip_without]);
        }
    }
}

fn plots(folder: &Path, results: &Results) -> Result<()> {
    let Results { cold, warm, growth, .. } = results;
    let of = |values: [f64; 3]| {
        let named = NAMES.iter().zip(values).enumerate();
        named
            .map(|(colour, (name, value))| Bar { label: (*name).into(), value, colour })
            .collect::<Vec<_>>()
    };
    let cpu = of([0, 1, 2].map(|index| cold.deployed[index].cpu.median()));
    bars(
        &folder.join("cold.svg"),
        "CPU of a cold start as deployed: secret, TLS, first answer",
        "ms",
        &cpu,
    )?;
    let list = warm.list()?;
    let mut latency = of([0, 1, 2].map(|index| list.programs[index].p50.median()));
    let limit = list.transaction.median();
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
