//! The report: all measurements in tables, ratios and plots.
use std::cmp::Ordering;
use std::fmt::Display;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::cold::{self, Cold, ColdResults};
use crate::functions::LIST;
use crate::growth::{self, GrowthResults};
use crate::plot::bars;
use crate::programs::{self, Program};
use crate::sizes::{self, Sizes};
use crate::stats::{Series, short};
use crate::subject::Subject;
use crate::throughput::{self, SANDBOXES, ThroughputResults};
use crate::tokens::{self, TokenResults};
use crate::trips::{self, TripResults};
use crate::warm::{self, OperationResults, Warm, WarmResults};

/// The programs, in the order of measurement.
const NAMES: [&str; 3] = ["Rust", "FastAPI", "Hono"];
const UNMEASURED: &str = "no operation was measured";

/// Measures everything and writes `bench/REPORT.md` and its plots.
pub(crate) async fn run() -> Result<()> {
    let started = Instant::now();
    let subject = Subject::new(programs::all()).await?;
    let results = Results {
        cold: cold::measure(&subject).await?,
        warm: warm::measure(&subject).await?,
        tokens: tokens::measure(&subject.database.functions_url).await?,
        throughput: throughput::measure(&subject).await?,
        growth: growth::measure(&subject).await?,
        trips: trips::measure(&subject).await?,
        sizes: sizes::measure()?,
    };

    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    plot(&folder.join("plots"), &results.cold)?;
    let mut report = Report(vec![heading(&subject, started)?]);
    report.goals(&results)?;
    report.cold(&results.cold, results.trips.cold);
    report.warm(&results.warm);
    report.tokens(&results.tokens);
    report.throughput(&results)?;
    report.growth(&results.growth);
    let text = report.0.join("\n") + "\n";
    std::fs::write(folder.join("REPORT.md"), &text)?;
    println!("{text}\nWritten to bench/REPORT.md in {} s.", started.elapsed().as_secs());
    Ok(())
}

/// All measurements.
struct Results {
    cold: ColdResults,
    warm: WarmResults,
    tokens: Vec<TokenResults>,
    throughput: ThroughputResults,
    growth: GrowthResults,
    trips: TripResults,
    sizes: Sizes,
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

Every program ran on this machine, on one PostgreSQL, by turns, under the same Lambda Runtime API: our release binaries, and the [peers](peers/README.md), which serve the tutorial's operations with FastAPI and Hono.
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
        let Results { cold, warm, growth, sizes, trips, throughput, tokens: _ } = results;
        self.prose("## At a glance\n\n![CPU of a cold start](plots/cold.svg)");
        self.head(&["", "goal", "measured", "met"]);
        let mut goal = |what: &str, goal: &str, measured: &dyn Display, met: bool| {
            self.row(&[&what, &goal, measured, &if met { "yes" } else { "**no**" }]);
        };
        let mut at_most = |what: &str, most: f64, series: &Series| {
            goal(what, &format!("at most {most}"), series, series.median() <= most);
        };
        let operations = || warm.operations.iter();
        let of = |operation: &OperationResults, ratio| (operation.function, ratio);
        let floors = operations().map(|one| of(one, one.ours().p50.ratio(&one.floor())));
        let (function, floor) = floors.max_by(by_median).context(UNMEASURED)?;
        at_most(&format!("p50 / floor, at worst ({function})"), 1.35, &floor);
        let list = warm.list()?;
        at_most("list: database CPU / pgbench's", 1.3, &list.database());
        let others = operations().filter(|operation| operation.function != LIST);
        let others = others.map(|one| of(one, one.database()));
        let (function, database) = others.max_by(by_median).context(UNMEASURED)?;
        at_most(&format!("others: the same, at worst ({function})"), 1.6, &database);
        let prepared = list.ours().p50.ratio(&warm.statement);
        at_most("list: p50 / pgbench's prepared statement", 2.2, &prepared);
        at_most("list: page 10,000 / page 1", 1.1, &growth.depth()?);
        at_most("peak memory, MB", 8.0, &cold.variables[0].memory);
        for (what, most, largest) in [
            ("zip of a function, MB", 3.0, sizes.zip),
            ("the same without Secrets Manager, MB", 2.0, sizes.lean),
        ] {
            goal(what, &format!("at most {most}"), &short(largest), largest <= most);
        }
        goal("round trips of a warm request", "1", &trips.warm, trips.warm == 1);
        let mut at_least = |what: &str, least: f64, series: &Series| {
            goal(what, &format!("at least {least}"), series, series.median() >= least);
        };
        for (peer, least) in [(2, 2.0), (1, 9.0)] {
            let compared = operations().filter_map(|one| {
                Some((one.function, one.programs.get(peer)?.p50.ratio(&one.ours().p50)))
            });
            let (function, ratio) = compared.min_by(by_median).context(UNMEASURED)?;
            let what = format!("{}'s p50 / ours, at worst ({function})", NAMES[peer]);
            at_least(&what, least, &ratio);
        }
        for (what, [ours, fastapi, hono], least) in [
            ("cold CPU as deployed", &cold.deployed, [100.0, 30.0]),
            ("cold CPU with settings in variables", &cold.variables, [130.0, 40.0]),
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

    fn cold(&mut self, results: &ColdResults, trips: usize) {
        self.prose(&format!("## Cold starts\n\nA list of 50 tasks, from exec to the first answer. CPU is the process's user and system time; wall-clock time includes other processes. As deployed: the settings are in a local Secrets Manager and are fetched over HTTPS; the peers use their own AWS SDKs. TLS to the database is TLS 1.3 with SCRAM-SHA-256 and channel binding, the server's certificate verified.\n\nOurs takes one round trip for TCP and {trips} more until the first answer. Six is the minimum: the TLS request; TLS 1.3; the login's start and the two exchanges of SCRAM; the statement. PostgreSQL 17 and newer need no TLS request (`sslnegotiation=direct`)."));
        self.head(&["", "CPU, ms", "wall clock, ms", "memory, MB", "CPU / ours"]);
        for (kind, programs) in
            [("as deployed", &results.deployed), ("settings in variables", &results.variables)]
        {
            for (name, Cold { cpu, wall, memory }) in NAMES.iter().zip(programs) {
                let in_ours = cpu.ratio(&programs[0].cpu);
                self.row(&[&format!("{name}, {kind}"), cpu, wall, memory, &in_ours]);
            }
        }
    }

    fn warm(&mut self, warm: &WarmResults) {
        self.prose("## Warm requests\n\nSequential requests to one sandbox, with TLS, in µs from the event to its answer. Ours include row-level security, the role and the time limits; the peers' do not. The CPU of ended threads, such as FastAPI's, is not counted. The peers serve the tutorial's five operations.");
        self.head(&["", "p50", "p99", "CPU a request", "p50 / ours"]);
        for OperationResults { function, programs, .. } in &warm.operations {
            for (name, Warm { p50, p99, cpu }) in NAMES.iter().zip(programs) {
                let in_ours = p50.ratio(&programs[0].p50);
                self.row(&[&format!("{function}, {name}"), p50, p99, cpu, &in_ours]);
            }
        }
        self.prose("The distance to the lower limit. An operation's floor is the sum of two: a function on the same runtime crate that only sends an answer of the same length, and pgbench with the same statement on the same server, over TLS, prepared with a generic plan, in a transaction of four pipelined messages that sets the role and the user. The database's CPU is the CPU time of its backends for a request.");
        self.head(&[
            "",
            "empty function, p50, µs",
            "pgbench, p50, µs",
            "ours / their sum",
            "database's CPU, µs",
            "pgbench's, µs",
            "ours / pgbench's",
        ]);
        for operation in &warm.operations {
            let OperationResults { function, nothing, server, .. } = operation;
            let OperationResults { transaction, transaction_server, .. } = operation;
            self.row(&[
                function,
                &nothing.p50,
                transaction,
                &operation.ours().p50.ratio(&operation.floor()),
                server,
                transaction_server,
                &operation.database(),
            ]);
        }
    }

    fn tokens(&mut self, tokens: &[TokenResults]) {
        self.prose("Tokens of Better Auth's plugin `jwt()`, in a sandbox that also accepts HS256: an empty list, in µs of CPU a request.");
        self.head(&["", "CPU a request", "with HS256", "their ratio"]);
        for TokenResults { algorithm, signed, hs256 } in tokens {
            self.row(&[algorithm, &signed.cpu, &hs256.cpu, &signed.cpu.ratio(&hs256.cpu)]);
        }
    }

    fn throughput(&mut self, results: &Results) -> Result<()> {
        let ThroughputResults { one, several, concurrent } = &results.throughput;
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
        self.prose("One process of ours that serves many requests at once (Lambda Managed Instances; `AWS_LAMBDA_MAX_CONCURRENCY`), and pgbench's pipelined transaction with as many clients.");
        self.head(&["at once", "ours", "pgbench", "ours / pgbench's"]);
        for (at_once, ours, pgbench) in concurrent {
            self.row(&[at_once, ours, pgbench, &ours.ratio(pgbench)]);
        }
        let cores = std::thread::available_parallelism()?.get() as f64;
        let predicted = cores * 1e6 / results.warm.list()?.whole();
        let of_prediction = |measured: &Series| short(measured.median() / predicted);
        let [measured, ..] = several;
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
        self.prose("## Growth\n\nThe list of a user with a million tasks, by page.");
        self.head(&["page", "p50, µs", "p50 / page 1's"]);
        for (page, series) in &growth.pages {
            self.row(&[page, series, &series.ratio(&growth.pages[0].1)]);
        }
        self.prose("A list of ten tasks, by the user's number of tasks.");
        self.head(&["tasks", "p50, µs"]);
        for (tasks, series) in &growth.users {
            self.row(&[tasks, series]);
        }
    }
}

/// A ratio and its operation.
type Ratio = (&'static str, Series);

fn by_median((_, one): &Ratio, (_, other): &Ratio) -> Ordering {
    one.median().total_cmp(&other.median())
}

/// The CPU of a cold start, which the README shows.
fn plot(folder: &Path, cold: &ColdResults) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let cpu = [0, 1, 2].map(|index| (NAMES[index], cold.deployed[index].cpu.median()));
    let title = "CPU of a cold start as deployed: secret, TLS, first answer";
    bars(&folder.join("cold.svg"), title, "ms", &cpu)
}
