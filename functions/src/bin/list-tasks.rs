//! `GET /api/{user_id}/tasks`: a page of the signed-in user's tasks, newest first.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(list).await
}

async fn list(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let page = app.tasks.page(&owner, request.page()?).await?;
    Ok(Reply::page(&page, &request))
}
