//! Compares builds of a function.
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tests::Sandbox;

use crate::cold::Cold;
use crate::functions::{LIST, in_environment};
use crate::subject::Subject;
use crate::warm::Warm;

const ROUNDS: usize = 9;
const COLD_STARTS: usize = 5;
const REQUESTS: usize = 1500;

/// Prints a table of cold starts and warm lists, one row a binary.
pub(crate) async fn run(binaries: &[PathBuf]) -> Result<()> {
    let subject = Subject::new(Vec::new()).await?;
    let command = |binary: &PathBuf| {
        in_environment(Command::new(binary), LIST, &subject.database.functions_url)
    };
    let mut results = vec![(Cold::default(), Warm::default()); binaries.len()];
    for _ in 0..ROUNDS {
        for (binary, (cold, warm)) in binaries.iter().zip(&mut results) {
            for _ in 0..COLD_STARTS {
                cold.measure(command(binary), &Subject::list()).await?;
            }
            let sandbox = Sandbox::start(command(binary)).await?;
            warm.measure(&sandbox, &vec![Subject::list(); REQUESTS], 200).await?;
        }
    }
    println!("| binary | cold CPU, ms | warm p50, µs | CPU a request, µs |");
    for (binary, (cold, warm)) in binaries.iter().zip(&results) {
        println!("| {} | {} | {} | {} |", binary.display(), cold.cpu, warm.p50, warm.cpu);
    }
    Ok(())
}
