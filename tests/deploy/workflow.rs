//! Rules for GitHub's workflows: what runs with a stage's credentials, and where it comes from.
use std::process::Command;

use serde_json::{Map, Value};

use crate::tools::{failure, root, success};

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(".github").join(path)).unwrap()
}

fn workflow(name: &str) -> Value {
    serde_saphyr::from_str(&text(&format!("workflows/{name}.yml"))).unwrap()
}

fn jobs(workflow: &Value) -> &Map<String, Value> {
    workflow["jobs"].as_object().unwrap()
}

fn steps(job: &Value) -> &[Value] {
    job["steps"].as_array().map_or(&[], Vec::as_slice)
}

/// The shell lines of a step.
fn lines(step: &Value) -> impl Iterator<Item = &str> {
    step["run"].as_str().unwrap_or_default().lines().map(str::trim)
}

/// The steps that use an action, by name.
fn uses<'a>(job: &'a Value, action: &str) -> Vec<&'a Value> {
    let named = format!("{action}@");
    let is = |step: &&Value| step["uses"].as_str().is_some_and(|uses| uses.starts_with(&named));
    steps(job).iter().filter(is).collect()
}

fn position(job: &Value, is: impl Fn(&Value) -> bool) -> usize {
    steps(job).iter().position(is).unwrap_or_else(|| panic!("there is no such step: {job:#}"))
}

#[test]
fn one_job_may_ask_for_credentials_and_only_for_a_stage() {
    let may_ask = |job: &Value| job["permissions"]["id-token"] == "write";
    let workflow_of_stage = workflow("deploy-stage");
    for (name, job) in jobs(&workflow_of_stage) {
        assert_eq!(may_ask(job), name == "deploy", "{name}");
        assert_eq!(job["environment"].is_string(), name == "deploy", "{name}");
        assert_eq!(job["permissions"]["contents"], "read", "{name}");
    }
    for (name, job) in jobs(&workflow("deploy")) {
        let deploys = job["uses"] == "./.github/workflows/deploy-stage.yml";
        assert_eq!(may_ask(job), deploys, "{name}");
    }
    for name in ["ci", "deploy", "deploy-stage"] {
        assert_eq!(text(&format!("workflows/{name}.yml")).matches("secrets.").count(), 0, "{name}");
    }
    assert!(!jobs(&workflow("ci")).values().any(may_ask));
}

#[test]
fn what_runs_beside_credentials_is_made_of_the_commit() {
    let workflow = workflow("deploy-stage");
    let [commit, build, deploy] = ["commit", "build", "deploy"].map(|name| &jobs(&workflow)[name]);

    // The commit is resolved in a job without dependencies; both other jobs check out that commit.
    assert_eq!(commit["outputs"]["sha"], "${{ steps.find.outputs.sha }}");
    assert_eq!(steps(commit).len(), 2, "a checkout and the choice");
    for job in [build, deploy] {
        let [checkout] = uses(job, "actions/checkout")[..] else { panic!("{job:#}") };
        assert_eq!(checkout["with"]["ref"], "${{ needs.commit.outputs.sha }}");
    }

    // Only the functions come from the build job; place.py refuses anything else.
    let [upload] = uses(build, "actions/upload-artifact")[..] else { panic!("{build:#}") };
    assert_eq!(upload["with"]["path"], ".aws-sam/build/*/bootstrap");
    assert!(build.get("outputs").is_none());
    let [download] = uses(deploy, "actions/download-artifact")[..] else { panic!("{deploy:#}") };
    assert_eq!(download["with"]["path"], ".aws-sam/build");
    assert!(uses(deploy, "actions/cache").is_empty() && uses(build, "actions/cache").is_empty());

    // The job's programs: the runner's, SAM pinned by hash, and xtask, compiled before the
    // download.
    let programs = ["pip", "rustup", "cargo", "python", "sam", "target/debug/xtask"];
    let shell = ["if", "echo", "exit", "fi", "cd"];
    for step in steps(deploy) {
        for line in lines(step).filter(|line| !line.starts_with("version=")) {
            let program = line.split(' ').next().unwrap();
            assert!(programs.contains(&program) || shell.contains(&program), "{line}");
            assert!(program != "cargo" || line == "cargo build --locked --package xtask", "{line}");
            assert!(program != "python" || line == "python .github/place.py", "{line}");
            assert!(program != "sam" || line.starts_with("sam deploy "), "{line}");
        }
    }
    let runs = |text: &'static str| {
        position(deploy, move |step| lines(step).any(|line| line.starts_with(text)))
    };
    let uses = |action: &'static str| {
        position(deploy, move |step| step["uses"].as_str().is_some_and(|u| u.starts_with(action)))
    };
    let order = [
        uses("actions/checkout@"),
        runs("cargo build"),
        uses("actions/download-artifact@"),
        runs("python .github/place.py"),
        uses("aws-actions/configure-aws-credentials@"),
        runs("target/debug/xtask"),
        runs("sam deploy"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn functions_are_built_on_a_machine_of_their_architecture() {
    let workflow = workflow("deploy-stage");
    let [commit, build] = ["commit", "build"].map(|name| &jobs(&workflow)[name]);
    assert_eq!(build["runs-on"], "${{ needs.commit.outputs.runner }}");
    assert_eq!(commit["outputs"]["runner"], "${{ steps.find.outputs.runner }}");
    assert_eq!(commit["env"]["STAGE"], "${{ inputs.stage }}");

    // The step itself, in a repository with its own commit on main.
    let find = &steps(commit)[position(commit, |step| step["id"] == "find")];
    let repository = tempfile::tempdir().unwrap();
    let file = |name: &str| repository.path().join(name);
    let shell = |script: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-o", "pipefail", "-c", script]).current_dir(repository.path());
        bash.env("STAGE", "staging").env("GITHUB_OUTPUT", file("output"));
        bash
    };
    let identity = "-c user.name=n -c user.email=e@app.example";
    success(&mut shell(&format!(
        "git init -q && git {identity} commit -q --allow-empty -m c && git update-ref refs/remotes/origin/main HEAD"
    )));
    let ours = std::fs::read_to_string(root().join("samconfig.toml")).unwrap();
    let of_stage = |stage: &str| {
        let parameters = format!("\"Stage={stage}\",");
        assert!(ours.contains(&parameters));
        ours.replace(&parameters, &format!("{parameters} \"Architecture=arm64\","))
    };
    let [x86_64, arm64] = ["ubuntu-latest", "ubuntu-24.04-arm"];
    for (samconfig, runner) in [
        (ours.clone(), x86_64),
        (of_stage("prod"), x86_64),
        (of_stage("dev"), x86_64),
        (of_stage("staging"), arm64),
        (of_stage("staging").replace("\nparameter_overrides", "\n# parameter_overrides"), x86_64),
    ] {
        std::fs::write(file("samconfig.toml"), &samconfig).unwrap();
        std::fs::write(file("output"), "").unwrap();
        success(&mut shell(find["run"].as_str().unwrap()));
        let output = std::fs::read_to_string(file("output")).unwrap();
        assert!(
            output.lines().any(|line| line == format!("runner={runner}")),
            "{output}{samconfig}"
        );
    }
    success(&mut shell(&format!("git {identity} commit -q --allow-empty -m 'of a fork'")));
    let refused = failure(&mut shell(find["run"].as_str().unwrap()));
    assert!(refused.contains("part of main"), "{refused}");
}

#[test]
fn python_packages_are_locked_by_hash() {
    for job in jobs(&workflow("deploy-stage")).values() {
        for line in steps(job).iter().flat_map(lines).filter(|line| line.contains("pip ")) {
            // `--no-deps`: only packages in the list are installed.
            for option in ["--require-hashes", "--no-deps", "--only-binary :all:", ".txt"] {
                assert!(line.contains(option), "{line}");
            }
        }
    }
    for list in ["sam", "cargo-lambda"] {
        // The version that the tests and `cargo xtask dev` use.
        let wanted = text(&format!("requirements/{list}.in"));
        let list = text(&format!("requirements/{list}.txt"));
        assert!(list.contains(wanted.trim()), "{wanted}");
        // Nothing is downloaded except from the registry.
        assert!(!list.contains("://") && !list.contains("\n--"), "{list}");
    }
}
