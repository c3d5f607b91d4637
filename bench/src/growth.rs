//! How the latency of a list depends on the page and on the number of tasks.
use anyhow::{Context, Result};
use hyper::body::Bytes;
use tests::{Reply, Sandbox, operation};

use crate::caller::Caller;
use crate::functions::{LIST, sandbox};
use crate::stats::Series;
use crate::subject::{LARGE_USER, SMALL_USER, Subject, USER, USER_TASKS};
use crate::warm::{ROUNDS, Warm};

/// Lists in a round.
const REQUESTS: usize = 300;

/// The median latency of a list in µs, by page and by the user's number of tasks.
pub(crate) struct GrowthResults {
    pub(crate) pages: Vec<(u64, Series)>,
    pub(crate) users: Vec<(u64, Series)>,
}

impl GrowthResults {
    /// The latency of the last page divided by the first's.
    pub(crate) fn depth(&self) -> Result<Series> {
        let (_, first) = self.pages.first().context("no page was measured")?;
        let (_, last) = self.pages.last().context("no page was measured")?;
        Ok(last.ratio(first))
    }
}

pub(crate) async fn measure(subject: &Subject) -> Result<GrowthResults> {
    println!("Growth …");
    let large = Caller::new(LARGE_USER);
    let list = |query: &str| operation(LIST).example().with_query(query);
    let sandbox = sandbox(LIST, &subject.database.functions_url).await?;
    let mut pages = Vec::new();
    for number in [1, 10, 100, 1000, 10_000] {
        // The link of the task before the page has its cursor.
        let before = format!("limit=1&offset={}", ((number - 1) * 50).max(1) - 1);
        let first = Reply::read(&sandbox.invoke(large.event(&list(&before), 0)).await?.body)?;
        let after =
            first.header("link").split(['?', '&', '>']).find(|part| part.starts_with("after="));
        let cursor = if number == 1 { "" } else { after.context("no link to the next page")? };
        pages.push((number, large.event(&list(cursor), 0)));
    }
    let users = [(SMALL_USER, 10), (USER, USER_TASKS.into()), (LARGE_USER, 1_000_000)];
    // The same page size for each user, so that only the number of tasks differs.
    let users =
        users.map(|(user, tasks)| (tasks, Caller::new(user).event(&list("limit=10"), 0))).to_vec();
    Ok(GrowthResults {
        pages: by_turns(&sandbox, pages).await?,
        users: by_turns(&sandbox, users).await?,
    })
}

async fn by_turns(sandbox: &Sandbox, events: Vec<(u64, Bytes)>) -> Result<Vec<(u64, Series)>> {
    let mut all: Vec<_> = events.iter().map(|(of, _)| (*of, Series::default())).collect();
    for _ in 0..ROUNDS {
        for ((_, event), (_, series)) in events.iter().zip(&mut all) {
            let mut warm = Warm::default();
            warm.measure(sandbox, &vec![event.clone(); REQUESTS], 200).await?;
            series.push(warm.p50.median());
        }
    }
    Ok(all)
}
