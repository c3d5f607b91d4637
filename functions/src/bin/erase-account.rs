//! `DELETE /api/{user_id}`: delete all that the signed-in user has.
use functions::App;
use shared::{Owner, Problem, Reply, Request};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::Error> {
    shared::serve(erase).await
}

async fn erase(app: &App, owner: Owner, request: Request) -> Result<Reply, Problem> {
    let mut query = request.parameters();
    let until = query.time("until");
    let until = query.finish(Some(until))?;
    request.refuse_if_match()?;
    Ok(Reply::ok(&app.account.erase(&owner, until).await?))
}
