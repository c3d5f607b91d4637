//! The functions of `template.yaml`, and the share of each in a stage's reserved concurrency.
use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::operation::{Operation, Operations};

/// The generated blocks, by name.
pub(super) fn blocks(
    operations: &Operations,
    template: &str,
) -> Result<Vec<(&'static str, String)>> {
    let functions = operations.mains().map(|main| function(main, operations));
    let functions = functions.collect::<Result<Vec<_>>>()?;
    let count = u64::try_from(functions.len())?;
    Ok(vec![("shares", shares(template, count)?), ("functions", functions.join("\n"))])
}

/// The reserved concurrency of each stage, none if it reserves none.
pub(crate) fn reserved_concurrency(template: &str) -> Result<BTreeMap<String, Option<u64>>> {
    // The rest of the template has tags that a parser would have to know.
    let section =
        template.split_once("\nMappings:\n").and_then(|(_, rest)| rest.split_once("\n\n"));
    let (mappings, _) = section.context("template.yaml has no Mappings")?;
    let mappings: Value = serde_saphyr::from_str(mappings)?;
    let stages = mappings.get("Stages").and_then(Value::as_object);
    let stages = stages.context("template.yaml has no table of stages")?.iter();
    let reserved = |of: &Value| of.get("ReservedConcurrency").and_then(Value::as_u64);
    Ok(stages.map(|(stage, of)| (stage.clone(), reserved(of))).collect())
}

/// The rows of a mapping: what each function of a stage reserves.
fn shares(template: &str, functions: u64) -> Result<String> {
    let mut rows = String::new();
    for (stage, reserved) in reserved_concurrency(template)? {
        let share = reserved.map(|all| all / functions);
        ensure!(
            share != Some(0),
            "ReservedConcurrency of {stage} in template.yaml is less than one for each function"
        );
        let share = share.map_or("none".to_owned(), |share| share.to_string());
        let _ = writeln!(rows, "    {stage}: {{ ReservedConcurrency: {share} }}");
    }
    Ok(rows)
}

/// The block of a function. Its first event is `Api`; each other has its method's name.
fn function(main: &Operation, operations: &Operations) -> Result<String> {
    let name = main.function;
    let mut block = format!(
        "  {id}Function:
    Type: AWS::Serverless::Function
    UpdateReplacePolicy: Retain # keeps the versions for rollbacks
    Metadata: {{ BuildMethod: rust-cargolambda, BuildProperties: {{ Binary: {name} }} }}
    Properties:
      FunctionName: !Sub ${{AWS::StackName}}-{name}
      Description: {summary}
      Role: !GetAtt FunctionRole.Arn
      VersionDescription: !GetAtt Settings.Value
      Events:
",
        id = name.split('-').map(capitalized).collect::<String>(),
        summary = Value::from(main.text("summary")?),
    );
    let mut events = vec![("Api".to_owned(), main)];
    for other in operations.others(main) {
        let event = capitalized(&other.method);
        ensure!(
            events.iter().all(|(name, _)| *name != event),
            "{name} has two more operations with {}: give one a function of its own",
            other.method
        );
        events.push((event, other));
    }
    for (event, Operation { method, path, .. }) in events {
        let _ = writeln!(
            block,
            "        {event}:
          Type: HttpApi
          Properties: {{ ApiId: !Ref Api, Method: {method}, Path: '{path}' }}"
        );
    }
    Ok(block)
}

/// A word with a capital letter.
pub(crate) fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
}
