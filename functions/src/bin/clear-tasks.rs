//! `DELETE /api/{user_id}/tasks`: delete the completed, the open, or all tasks of the signed-in
//! user.
use shared::{App, Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(clear).await
}

async fn clear(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let which = request.clear_query()?;
    request.refuse_if_match()?;
    let cleared = app.tasks.clear(&owner, which).await?;
    Ok(Reply::ok(&cleared))
}
