//! The local gateway's routes and the README's rows.
use std::fmt::Write;

use anyhow::Result;

use super::operation::{Operation, Operations};

/// The routes in the form of `[workspace.metadata.lambda.watch.router]`.
pub(super) fn routes(operations: &Operations) -> String {
    let mut text = String::new();
    for routes in operations.all().chunk_by(|one, next| one.path == next.path) {
        let path = routes.first().map_or("", |of| of.path);
        let _ = writeln!(text, "\"{path}\" = [");
        for Operation { function, method, .. } in routes {
            let _ = writeln!(text, "  {{ function = \"{function}\", method = \"{method}\" }},");
        }
        text += "]\n";
    }
    text
}

/// The table of requests. The methods of a function on one path are one row.
pub(super) fn rows(operations: &Operations) -> Result<String> {
    let mut text = "\n| request | what it does | success |\n| --- | --- | --- |\n".to_owned();
    let mut seen = Vec::new();
    for operation in operations.all() {
        let Operation { function, path, .. } = operation;
        if seen.contains(&(function, path)) {
            continue;
        }
        seen.push((function, path));
        let row = operations.all().iter().filter(|of| of.function == *function && of.path == *path);
        let methods = row.map(|of| of.method.as_str()).collect::<Vec<_>>().join("` or `");
        let members = operation.body()?.and_then(|schema| schema.get("properties")?.as_object());
        let members = members.into_iter().flatten().map(|(name, _)| name.as_str());
        let names = operation.names("query").chain(members).map(|name| format!("`{name}`"));
        let names = names.collect::<Vec<_>>().join(", ");
        let colon = if names.is_empty() { "" } else { ": " };
        let summary = operation.text("summary")?;
        let (status, answer) = operation.success()?;
        let _ =
            writeln!(text, "| `{methods} {path}` | {summary}{colon}{names} | {status}: {answer} |");
    }
    Ok(text + "\n")
}
