//! A row of the check: the request, the expected and the actual result, and what to do if they
//! differ.
use anyhow::{Error, Result};
use serde_json::{Value, json};

use super::Check;

/// A check of a stage.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) ask: fn(&Check) -> Result<Came>,
    /// Who is responsible for a different result.
    pub(super) of: Side,
    /// What to do then.
    pub(super) otherwise: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The behaviour of this repository.
    Product,
    /// The behaviour of AWS, which can only be observed.
    Platform,
}

/// The actual result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// As expected, if it equals the expected text.
    Text(String),
    /// As expected, with another text.
    Expected(String),
    /// Not as expected.
    Other(String),
    /// It could not be determined; the reason.
    Unasked(String),
}

/// A row with its result.
pub(super) struct Line {
    row: &'static Row,
    came: String,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    Unasked,
    Differs,
    Fails,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unasked => "not asked",
            Self::Differs => "differs",
            Self::Fails => "FAILS",
        }
    }
}

impl Came {
    /// A measurement, and whether it is as expected.
    pub(super) fn measured(text: String, expected: bool) -> Self {
        if expected { Self::Expected(text) } else { Self::Other(text) }
    }

    /// A request to AWS that failed, with the AWS CLI's message on one line.
    pub(super) fn unasked(error: &Error) -> Self {
        let text = format!("{error:#}");
        let words: Vec<&str> = text.split_whitespace().collect();
        Self::Unasked(words.join(" ").chars().take(200).collect())
    }
}

impl Line {
    /// Whether the result differs from what was expected.
    pub(super) fn differs(&self) -> bool {
        matches!(self.verdict, Verdict::Differs | Verdict::Fails)
    }
}

impl Row {
    /// Runs the check; an error counts as a different result.
    pub(super) fn ask(&'static self, check: &Check) -> Line {
        let came = (self.ask)(check);
        self.line(came.unwrap_or_else(|error| Came::Other(format!("no answer: {error:#}"))))
    }

    pub(super) fn line(&'static self, came: Came) -> Line {
        let other = if self.of == Side::Product { Verdict::Fails } else { Verdict::Differs };
        let (came, verdict) = match came {
            Came::Text(text) if text == self.expected => (text, Verdict::Ok),
            Came::Expected(text) => (text, Verdict::Ok),
            Came::Text(text) | Came::Other(text) => (text, other),
            Came::Unasked(why) => (why, Verdict::Unasked),
        };
        Line { row: self, came, verdict }
    }
}

/// The worst verdict, which sets the exit status.
pub(super) fn worst(lines: &[Line]) -> Verdict {
    let has = |verdict| lines.iter().any(|line| line.verdict == verdict);
    if has(Verdict::Fails) {
        Verdict::Fails
    } else if has(Verdict::Differs) {
        Verdict::Differs
    } else {
        Verdict::Ok
    }
}

pub(super) fn table(lines: &[Line]) -> String {
    let width = |text: fn(&Line) -> &str| {
        lines.iter().map(|line| text(line).chars().count()).max().unwrap_or_default()
    };
    let (names, expected) = (width(|line| line.row.name), width(|line| line.row.expected));
    let row = |verdict: &str, name: &str, wanted: &str, came: &str| {
        let row = format!("{verdict:<9}  {name:<names$}  {wanted:<expected$}  {came}");
        row.trim_end().to_owned() + "\n"
    };
    let mut text = row("", "asked", "expected", "came");
    for line in lines {
        text += &row(line.verdict.name(), line.row.name, line.row.expected, &line.came);
        if line.differs() {
            text += &row("", &format!("→ {}", line.row.otherwise), "", "");
        }
    }
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let counts = format!(
        "{} rows: {} as expected, {} where the platform differs, {} where the product fails, {} not asked.",
        lines.len(),
        count(Verdict::Ok),
        count(Verdict::Differs),
        count(Verdict::Fails),
        count(Verdict::Unasked),
    );
    text + &counts
}

pub(super) fn json(lines: &[Line]) -> Value {
    let rows = lines.iter().map(|line| {
        let Row { name, expected, otherwise, .. } = line.row;
        let verdict = line.verdict.name().to_lowercase();
        // What to do, if there is something.
        let todo = line.differs().then_some(otherwise);
        json!({ "asked": name, "expected": expected, "came": line.came, "verdict": verdict, "do": todo })
    });
    rows.collect()
}
