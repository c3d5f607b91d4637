//! A function that does nothing: it answers every event with the text of `ANSWER`.
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let answer = RawValue::from_string(std::env::var("ANSWER")?)?;
    run(service_fn(|_: LambdaEvent<IgnoredAny>| async { Ok::<_, Error>(answer.clone()) })).await
}
