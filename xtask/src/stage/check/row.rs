//! A row of the check: a question, its expected and its actual answer, and what to do if they
//! differ.
use anyhow::Result;

/// An answered question.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) expected: &'static str,
    pub(super) actual: Result<Actual>,
    /// Who is responsible for another answer.
    pub(super) owner: Responsible,
    /// What to do then.
    pub(super) hint: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Responsible {
    /// This repository and its settings.
    Product,
    /// AWS, which can only be observed.
    Platform,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Actual {
    Expected(String),
    Other(String),
    /// The reason why there is no answer.
    Unknown(String),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Ok,
    NotAsked,
    Differs,
    Fails,
}

impl Actual {
    /// An answer, and whether it is as expected.
    pub(super) fn of(text: String, expected: bool) -> Self {
        if expected { Self::Expected(text) } else { Self::Other(text) }
    }
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotAsked => "not asked",
            Self::Differs => "differs",
            Self::Fails => "FAILS",
        }
    }
}

impl Row {
    fn verdict(&self) -> Verdict {
        match (&self.actual, self.owner) {
            (Ok(Actual::Expected(_)), _) => Verdict::Ok,
            (Ok(Actual::Unknown(_)), _) => Verdict::NotAsked,
            (_, Responsible::Platform) => Verdict::Differs,
            (_, Responsible::Product) => Verdict::Fails,
        }
    }

    /// The actual answer on one line; the AWS CLI's messages have several.
    fn actual(&self) -> String {
        let text = match &self.actual {
            Ok(Actual::Expected(text) | Actual::Other(text) | Actual::Unknown(text)) => text,
            Err(error) => &format!("no answer: {error:#}"),
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").chars().take(200).collect()
    }
}

/// The worst verdict, which sets the exit status.
pub(super) fn worst(rows: &[Row]) -> Verdict {
    rows.iter().map(Row::verdict).max().unwrap_or(Verdict::Ok)
}

pub(super) fn table(rows: &[Row]) -> String {
    let width = |text: fn(&Row) -> &str| {
        rows.iter().map(|row| text(row).chars().count()).max().unwrap_or_default()
    };
    let (names, expected) = (width(|row| &row.name), width(|row| row.expected));
    let line = |verdict: &str, name: &str, wanted: &str, actual: &str| {
        let line = format!("{verdict:<9}  {name:<names$}  {wanted:<expected$}  {actual}");
        line.trim_end().to_owned() + "\n"
    };
    let mut text = line("", "question", "expected", "actual");
    for row in rows {
        let verdict = row.verdict();
        text += &line(verdict.name(), &row.name, row.expected, &row.actual());
        if verdict >= Verdict::Differs {
            text += &line("", &format!("→ {}", row.hint), "", "");
        }
    }
    text
}
