//! `GET /api/{user_id}/tasks`: a page of the signed-in user's tasks, newest first.
use shared::{Api, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(list).await
}

async fn list(api: &Api, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let query = request.list_query()?;
    let page = api.tasks.list(&owner, &query).await?;
    Ok(Reply::page(&owner, &query, &page))
}
