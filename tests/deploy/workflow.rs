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
fn actions_are_pinned_by_hash_with_their_tag_beside() {
    for name in ["ci", "deploy", "deploy-stage"] {
        let text = text(&format!("workflows/{name}.yml"));
        for used in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, used)| used)
        {
            if used.starts_with("./") {
                continue;
            }
            let (action, tag) = used.split_once(" # v").unwrap_or_else(|| panic!("{used}"));
            let hash = action.split_once('@').unwrap().1;
            assert!(hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{used}");
            assert_eq!(
                tag.split('.').filter(|part| part.parse::<u32>().is_ok()).count(),
                3,
                "{used}"
            );
        }
    }
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
        // A job has no permissions that it does not list.
        assert_eq!(workflow(name)["permissions"], Value::Object(Map::new()), "{name}");
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
    let find = &steps(commit)[position(commit, |step| step["id"] == "find")];
    assert_eq!(steps(commit).len(), 2, "a checkout and the choice");
    assert!(lines(find).any(|line| line.contains("git merge-base --is-ancestor HEAD origin/main")));
    for job in [build, deploy] {
        let [checkout] = uses(job, "actions/checkout")[..] else { panic!("{job:#}") };
        assert_eq!(checkout["with"]["ref"], "${{ needs.commit.outputs.sha }}");
        assert_eq!(checkout["with"]["persist-credentials"], false);
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

/// A GitHub runner for each architecture of a function.
const RUNNERS: [&str; 2] = ["ubuntu-latest", "ubuntu-24.04-arm"];

#[test]
fn everything_is_tested_on_both_architectures() {
    let workflow = workflow("ci");
    let test = &jobs(&workflow)["test"];
    assert_eq!(test["runs-on"], "${{ matrix.runner }}");
    assert_eq!(test["strategy"]["matrix"]["runner"], Value::from(RUNNERS.to_vec()));
    assert_eq!(test["strategy"]["fail-fast"], false);
    let everything = &steps(test)[position(test, |step| step["run"] == ".ci/run")];
    assert!(everything.get("if").is_none() && everything.get("continue-on-error").is_none());
    // The cache of one architecture is useless for the other.
    let [cache] = uses(test, "actions/cache")[..] else { panic!("{test:#}") };
    assert!(cache["with"]["key"].as_str().unwrap().contains("${{ runner.arch }}"));
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
    let [x86_64, arm64] = RUNNERS;
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
fn python_packages_are_locked_by_hash_and_kept_up_to_date() {
    for job in jobs(&workflow("deploy-stage")).values() {
        for line in steps(job).iter().flat_map(lines).filter(|line| line.contains("pip ")) {
            // `--no-deps`: only packages in the list are installed.
            for option in ["--require-hashes", "--no-deps", "--only-binary :all:", ".txt"] {
                assert!(line.contains(option), "{line}");
            }
        }
    }
    let tools = std::fs::read_to_string(root().join("xtask/src/tools.rs")).unwrap();
    for list in ["sam", "cargo-lambda"] {
        // The version that the tests and `cargo xtask dev` use.
        let wanted = text(&format!("requirements/{list}.in"));
        assert!(tools.contains(&format!("\"{}\"", wanted.trim())), "xtask does not use {wanted}");
        let list = text(&format!("requirements/{list}.txt"));
        assert!(list.contains(wanted.trim()));
        let entries = list.replace("\\\n", " ");
        for entry in entries.lines().filter(|line| line.starts_with(|c: char| c.is_alphanumeric()))
        {
            let (package, hashes) = entry.split_once(' ').unwrap();
            assert_eq!(package.matches("==").count(), 1, "{entry}");
            assert!(hashes.trim_start().starts_with("--hash=sha256:"), "{entry}");
        }
        // Nothing is downloaded except from the registry.
        assert!(!list.contains("://") && !list.contains("\n--"), "{list}");
    }
    let dependabot: Value = serde_saphyr::from_str(&text("dependabot.yml")).unwrap();
    let updates = dependabot["updates"].as_array().unwrap();
    assert!(updates.iter().any(|update| {
        update["package-ecosystem"] == "pip" && update["directory"] == "/.github/requirements"
    }));
}
