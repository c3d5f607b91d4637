//! `GET /api/{user_id}/tasks`: a page of the signed-in user's tasks, newest first.
use shared::{App, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(list).await
}

async fn list(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let query = request.list_query()?;
    let page = app.tasks.list(&owner, &query.page).await?;
    Ok(Reply::page(&owner, &query, &page))
}
