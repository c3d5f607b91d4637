//! A row of the check: what is asked, what is expected, what to do where it differs; and what came.
use anyhow::{Error, Result};
use serde_json::{Value, json};

use super::Check;

/// A question to a stage.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) ask: fn(&Check) -> Result<Came>,
    /// Whose it is where something else comes.
    pub(super) of: Side,
    /// What to do then.
    pub(super) otherwise: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What this repository promises.
    Product,
    /// What AWS does with it, of which nothing here can be sure.
    Platform,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// As expected, where it is the same text.
    Text(String),
    /// As expected, in its own words.
    Expected(String),
    /// Not as expected.
    Other(String),
    /// It could not be asked, and why.
    Unasked(String),
}

/// A row with its answer.
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

    /// What could not be asked of AWS, in the AWS CLI's own words, which take several lines.
    pub(super) fn unasked(error: &Error) -> Self {
        let text = format!("{error:#}");
        let words: Vec<&str> = text.split_whitespace().collect();
        Self::Unasked(words.join(" ").chars().take(200).collect())
    }
}

impl Line {
    /// Whether something else came than was expected.
    pub(super) fn differs(&self) -> bool {
        matches!(self.verdict, Verdict::Differs | Verdict::Fails)
    }
}

impl Row {
    /// Asks the stage; no answer is another one.
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

/// The worst of all: what the exit status says.
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
        // What to do, where there is something.
        let todo = line.differs().then_some(otherwise);
        json!({ "asked": name, "expected": expected, "came": line.came, "verdict": verdict, "do": todo })
    });
    rows.collect()
}
