//! How the latency of a list depends on the page and on the number of tasks.
use anyhow::{Context, Result};
use tests::{Reply, operation};

use crate::caller::Caller;
use crate::functions::LIST;
use crate::programs::Program;
use crate::stats::Series;
use crate::subject::{Each, LARGE_USER, SMALL_USER, Subject, USER, USER_TASKS};
use crate::warm::{ROUNDS, Warm};

/// The median latency of a list in µs, by page and by the user's number of tasks.
pub(crate) struct GrowthResults {
    pub(crate) pages: Vec<(u64, Each<Series>)>,
    pub(crate) users: Vec<(u64, Series)>,
}

impl GrowthResults {
    /// The latency of the last page divided by the first's, for the functions.
    pub(crate) fn depth(&self) -> Result<Series> {
        let ours = |page: &(u64, Each<Series>)| page.1.first().cloned();
        let first = self.pages.first().and_then(ours).context("no page was measured")?;
        let last = self.pages.last().and_then(ours).context("no page was measured")?;
        Ok(last.ratio(&first))
    }
}

pub(crate) async fn measure(subject: &Subject) -> Result<GrowthResults> {
    println!("Growth …");
    let large = Caller::new(LARGE_USER);
    let list = |query: &str| operation(LIST).example().with_query(query);
    let page = |query: &str| large.event(&list(query), 0);
    let mut sandboxes = Vec::new();
    for program in &subject.programs {
        sandboxes.push(program.start(LIST, subject.url(program)).await?);
    }
    let ours = sandboxes.first().context("no sandbox")?;
    let mut pages: Vec<(u64, Each<Series>)> = Vec::new();
    let mut events = Vec::new();
    for number in [1, 10, 100, 1000, 10_000] {
        let offset = format!("offset={}", (number - 1) * 50);
        // The functions page by `Link`, the peers only by offset.
        let before = format!("limit=1&offset={}", ((number - 1) * 50).max(1) - 1);
        let first = Reply::read(&ours.invoke(page(&before)).await?.body)?;
        let after =
            first.header("link").split(['?', '&', '>']).find(|part| part.starts_with("after="));
        let cursor = if number == 1 { "" } else { after.context("no link to the next page")? };
        events.push((page(cursor), page(&offset)));
        pages.push((number, Each::default()));
    }
    for _ in 0..ROUNDS {
        for ((_, results), (cursor, offset)) in pages.iter_mut().zip(&events) {
            let by_turns = subject.programs.iter().zip(&sandboxes).zip(results);
            for ((program, sandbox), series) in by_turns {
                let (event, count) = match program {
                    Program::Rust => (cursor, 300),
                    Program::FastApi(_) | Program::Hono(_) => (offset, 20),
                };
                let mut warm = Warm::default();
                warm.measure(sandbox, &vec![event.clone(); count], 200).await?;
                series.push(warm.p50.median());
            }
        }
    }
    let mut users = Vec::new();
    for (user, tasks) in [(SMALL_USER, 10), (USER, USER_TASKS.into()), (LARGE_USER, 1_000_000)] {
        // The same page size for each user, so that only the number of tasks differs.
        let event = Caller::new(user).event(&list("limit=10"), 0);
        users.push((tasks, event, Series::default()));
    }
    for _ in 0..ROUNDS {
        for (_, event, series) in &mut users {
            let mut warm = Warm::default();
            warm.measure(ours, &vec![event.clone(); 500], 200).await?;
            series.push(warm.p50.median());
        }
    }
    let users = users.into_iter().map(|(tasks, _, series)| (tasks, series)).collect();
    Ok(GrowthResults { pages, users })
}
