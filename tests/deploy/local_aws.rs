//! Each stage, deployed with the operator's commands into a local AWS, with the built binaries, a
//! secret in Secrets Manager and a PostgreSQL database.
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{LazyLock, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use functions::DATABASE_ROLE;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    AUDIENCE, Fixture, ISSUER, Page, Reply, Token, ask_aws, call_aws, create_stack, database,
    request, sql, with_login, xtask,
};

use crate::check::{Checked, record};
use crate::shape::integrations;
use crate::template::OPTIONS;
use crate::tools::{
    STAGES, built, failure, sam, stack, step, success, translated, with_aws, with_aws_cli,
};

/// What must never be logged: parts of every secret, and users' texts.
const MARK: &str = "HUSH";
const OWNER: &str = "stage_owner";
/// A row of the check.
const METRICS: &str = "metrics, and searches of the dashboard";
/// This AWS evaluates no searches.
const SEARCHES: &str =
    "Failures by code; Concurrent executions; Errors and throttles of the functions";
const DEPLOY: &str = "docs/deploy.md";
const OPERATE: &str = "docs/operate.md";

/// A local AWS with the stages.
struct Local {
    aws: Fixture,
    /// The API of each deployed stage.
    urls: [OnceLock<String>; STAGES.len()],
    folder: TempDir,
}

fn secret(stage: &str) -> String {
    format!("{MARK}-the-secret-that-signs-the-tokens-of-{stage}")
}

/// The owner of the tables, who is not a superuser.
fn owner_url() -> String {
    with_login(&database().url, OWNER, &format!("{MARK}-1"))
}

/// The local AWS with a deployed stage. Each stage has its own, so that tests do not wait for each
/// other.
fn deployed(stage: &'static str) -> &'static Local {
    static LOCAL: LazyLock<Local> = LazyLock::new(Local::start);
    LOCAL.url(stage);
    &LOCAL
}

impl Local {
    fn start() -> Self {
        // As Lambda sets it for functions.
        let aws = Fixture::start("aws", &[("AWS_LAMBDA_LOG_FORMAT", "JSON")]);
        let embedded = sql(&database().url, "SELECT current_user").remove(0);
        let owner = format!(
            "CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{MARK}-1'; \
             GRANT {embedded} TO {OWNER}; GRANT {DATABASE_ROLE} TO {OWNER} WITH ADMIN OPTION"
        );
        sql(&database().url, &owner);
        let (urls, folder) = (Default::default(), tempfile::tempdir().unwrap());
        Self { aws, urls, folder }
    }

    /// A stage's API; deploys the stage first.
    fn url(&self, stage: &'static str) -> &str {
        let index = STAGES.iter().position(|name| *name == stage).unwrap();
        self.urls[index].get_or_init(|| self.deploy(stage))
    }

    fn command(&self, command: Command) -> Command {
        with_aws(command, &self.aws.url)
    }

    /// As [`Local::command`], with the AWS CLI on the `PATH`.
    fn with_cli(&self, command: Command) -> Command {
        with_aws_cli(self.command(command))
    }

    /// `cargo xtask stage …`.
    fn stage(&self, arguments: &[&str]) -> Command {
        let mut command = self.with_cli(xtask());
        command.arg("stage").args(arguments);
        command
    }

    /// A command from a page for a stage, with more arguments.
    fn step(&self, stage: &str, page: &str, command: &str, more: &[&str]) -> Command {
        let words = step(page, command, stage);
        let words: Vec<_> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        match words.as_slice() {
            ["cargo", "xtask", "stage", arguments @ ..] => self.stage(arguments),
            ["sam", "deploy", arguments @ ..] => self.sam_deploy(arguments),
            _ => panic!("{command} of {page} is neither of xtask nor of SAM"),
        }
    }

    /// The output of the AWS CLI commands on a page, for a stage.
    fn read(&self, stage: &str, page: &str) -> Vec<String> {
        let commands = Page::read(page).commands().into_iter();
        let commands = commands.filter(|command| command.text.starts_with("aws "));
        let print = |text: String| {
            let mut shell = self.with_cli(Command::new("sh"));
            success(shell.args(["-c", &text]))
        };
        commands.map(|command| print(command.text.replace("/dev", &format!("/{stage}")))).collect()
    }

    /// `sam deploy …`.
    fn sam_deploy(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(sam("sam"));
        command.arg("deploy").args(arguments);
        command
    }

    /// A settings file for a stage.
    fn settings(&self, stage: &str) -> String {
        let file = self.folder.path().join(format!("{stage}.env"));
        let url = owner_url();
        let settings = format!(
            "BETTER_AUTH_SECRET={}\nDATABASE_URL={url}\nJWT_ISSUER={ISSUER}\nJWT_AUDIENCE={AUDIENCE}\n",
            secret(stage)
        );
        std::fs::write(&file, settings).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Follows `docs/deploy.md`, and reads what `docs/frontend.md` needs afterwards; returns the
    /// API's URL.
    fn deploy(&self, stage: &'static str) -> String {
        let prepare =
            |more: &[&str]| self.step(stage, DEPLOY, "cargo xtask stage dev prepare", more);
        let missing = failure(&mut prepare(&["--no-prompt"]));
        assert!(missing.contains("BETTER_AUTH_SECRET is missing"), "{missing}");
        let early = failure(&mut self.stage(&[stage, "check"]));
        assert!(early.contains("is not deployed"), "{early}");

        let file = self.settings(stage);
        let said = success(&mut prepare(&["--env-file", &file, "--dry-run"]));
        assert!(said.contains("Would write the secret"), "{said}");
        let said = success(&mut prepare(&["--env-file", &file]));
        assert!(said.contains("is created") && said.contains("up to date"), "{said}");
        // A second run has nothing to do and asks nothing.
        let said = success(&mut prepare(&["--no-prompt"]));
        assert!(said.contains("is unchanged") && !said.contains(MARK), "{said}");
        let given = self.read(stage, "docs/frontend.md");
        let [settings, url] = given.as_slice() else { panic!("{} commands", given.len()) };
        assert!(settings.contains(&secret(stage)) && settings.contains(ISSUER));
        assert!(url.starts_with(&format!("postgres://better_auth_{stage}_a:")));

        let built = built();
        // This AWS has no CodeDeploy, and ignores it in prod.
        let deploy = |more: &[&str]| {
            let more = [&["--no-confirm-changeset"], more].concat();
            success(&mut self.step(stage, DEPLOY, "sam deploy --config-env dev", &more))
        };
        deploy(&[]);
        if stage == "prod" {
            // As an operator would set it to find slow requests.
            let traced = "Stage=prod AllowedOrigins=https://app.example Canary=true Tracing=Active";
            deploy(&["--parameter-overrides", traced]);
        }
        drop(built);
        let check = "cargo xtask stage dev check";
        let said = success(&mut self.step(stage, DEPLOY, check, &["--dry-run"]));
        let id = said.split_once("http://").unwrap().1.split_once(".execute-api.").unwrap().0;
        self.make_routes(stage, id);
        // The same API without a DNS lookup.
        let url = format!("{}/_aws/execute-api/{id}/$default", self.aws.url);
        self.check_whole(stage, &url);
        if stage == "dev" {
            self.check_broken(stage, &url);
        }
        url
    }

    fn check(&self, stage: &str, url: &str) -> Checked {
        let checked = Checked::run(self.stage(&[stage, "check", "--url", url, "--wait", "0"]));
        assert!(!checked.text.contains(MARK), "{}", checked.text);
        checked
    }

    /// The check of a stage that works finds only what this AWS does not record.
    fn check_whole(&self, stage: &str, url: &str) {
        let checked = self.check(stage, url);
        let metrics = format!("nothing of TaskApi; {SEARCHES}");
        let cold = match stage {
            "dev" => ("differs", "no report"),
            _ => ("not asked", "SystemLogLevel is WARN: Lambda reports only failures"),
        };
        let cold = ("cold starts, as Lambda reports them", cold.0, cold.1);
        let access = ("access log of the gateway", "differs", "0 lines");
        checked.expect(3, &[(METRICS, "differs", &metrics), access, cold]);
    }

    /// The check of a stage whose records are complete, and again with a function whose setting is
    /// missing and a gateway that no page may call. No other test asks for either in this stage.
    fn check_broken(&self, stage: &str, url: &str) {
        let recorded = || {
            record(&self.aws.url, &format!("task-api-{stage}"));
            self.check(stage, url)
        };
        let searches = format!("nothing of {SEARCHES}");
        let searches = (METRICS, "differs", searches.as_str());
        let checked = recorded();
        checked.expect(3, &[searches]);
        assert!(checked.text.contains("at most 36.5 ms of init and 18 MB"), "{}", checked.text);

        let call = |service, method, path: &str, body: &Value| {
            call_aws(&self.aws.url, service, method, path, &[], &body.to_string())
        };
        let api = url.split('/').nth_back(1).unwrap();
        call("apigateway", "DELETE", &format!("/v2/apis/{api}/cors"), &Value::Null).expect(204);
        let function = format!("/2015-03-31/functions/task-api-{stage}-get-task");
        let variables = json!({ "Environment": { "Variables": { "APP_SECRET_ID": "" } } });
        call("lambda", "PUT", &format!("{function}/configuration"), &variables).expect(200);
        let latest = json!({ "FunctionVersion": "$LATEST" });
        call("lambda", "PUT", &format!("{function}/aliases/live"), &latest).expect(200);
        let denied = "403 of the gateway, which does not allow http://localhost:3000";
        recorded().expect(
            1,
            &[
                ("get-task", "FAILS", "502 of the gateway"),
                ("preflight of a browser", "FAILS", denied),
                ("answers that a browser can read", "differs", "not 200, 201, 401, 403, 502"),
                searches,
            ],
        );
    }

    /// Sets up the routes in the API's body, which this AWS does not read.
    fn make_routes(&self, stage: &str, api: &str) {
        let body = &stack(stage).only("AWS::ApiGatewayV2::Api")["Body"];
        let cors = &body["x-amazon-apigateway-cors"];
        let names =
            ["allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "allowCredentials"];
        let lists: Value =
            names.iter().map(|name| ((*name).to_owned(), cors[name].clone())).collect();
        let update = json!({ "corsConfiguration": lists }).to_string();
        let path = format!("/v2/apis/{api}");
        call_aws(&self.aws.url, "apigateway", "PATCH", &path, &[], &update).expect(200);
        let make = |what: &str, properties: &Value| {
            let path = format!("/v2/apis/{api}/{what}");
            self.call("apigateway", &path, &properties.to_string()).expect(201)
        };
        for integration in integrations(stack(stage)) {
            let arn =
                format!("arn:aws:lambda:us-east-1:000000000000:function:{}", integration.alias);
            let integrated = make(
                "integrations",
                &json!({
                    "integrationType": "AWS_PROXY",
                    "integrationUri": arn,
                    "payloadFormatVersion": integration.settings["payloadFormatVersion"],
                }),
            );
            let target = format!("integrations/{}", integrated["integrationId"].as_str().unwrap());
            make("routes", &json!({ "routeKey": integration.route, "target": target }));
        }
    }

    /// Sends a request to a stage.
    fn send(
        &self,
        stage: &'static str,
        method: &str,
        path: &str,
        token: &Token,
        body: &str,
    ) -> Reply {
        let bearer = format!("Bearer {}", token.sign());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        request(method, &format!("{}{path}", self.url(stage)), &headers, body)
    }

    /// Sends a request to an AWS API.
    fn call(&self, service: &str, path: &str, body: &str) -> Reply {
        call_aws(&self.aws.url, service, "POST", path, &[], body)
    }

    /// The log lines of a stage's functions.
    fn log(&self, stage: &str) -> Vec<String> {
        let group =
            json!({ "logGroupName": format!("/aws/lambda/task-api-{stage}"), "limit": 10_000 });
        let found = ask_aws(&self.aws.url, "Logs_20140328.FilterLogEvents", &group);
        let events = found["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The lines of a function that `is` selects, once there are at least `count`.
    fn requests(
        &self,
        stage: &str,
        function: &str,
        count: usize,
        is: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let lines = self.log(stage).into_iter();
            let lines: Vec<Value> = lines
                .filter_map(|line| line.parse::<Value>().ok())
                .filter(|line| {
                    line["message"] == "request" && line["operation"] == function && is(line)
                })
                .collect();
            if lines.len() >= count {
                return lines;
            }
            assert!(Instant::now() < patience, "{function}: {:#?}", self.log(stage));
            sleep(Duration::from_millis(200));
        }
    }
}

fn token(stage: &str, user: &str) -> Token {
    Token::of(user).secret(&secret(stage))
}

#[test]
fn a_stage_that_nobody_knows_is_refused() {
    let local = deployed("prod");
    let built = built();
    let text =
        failure(&mut local.sam_deploy(&["--config-env", "nowhere", "--no-confirm-changeset"]));
    assert!(text.contains("stack-name") || text.contains("Stage"), "{text}");
    drop(built);

    // The parameters that `sam deploy --parameter-overrides` passes to CloudFormation.
    let template = &mut translated("dev", &[])["template"];
    // This AWS has no budgets.
    template["Resources"].as_object_mut().unwrap().remove("Budget");
    let origin = ("AllowedOrigins", "https://app.example");
    let dev = ("Stage", "dev");
    let options = OPTIONS.map(|option| option.split_once('=').unwrap());
    for (parameters, why) in [
        (vec![("Stage", "nowhere"), origin], "Stage"),
        (vec![dev, ("AllowedOrigins", "*")], "AllowedOrigins"),
        (vec![dev, ("AllowedOrigins", "https://app.example/path")], "AllowedOrigins"),
        (vec![dev, ("AllowedOrigins", "app.example")], "AllowedOrigins"),
        (vec![dev, origin, ("DomainName", "api.app.example")], "CertificateArn"),
        (vec![dev, origin, ("HostedZoneId", "Z0123456789")], "needs DomainName"),
        (vec![dev, origin, ("DisableDefaultEndpoint", "true")], "needs DomainName"),
        (vec![dev, origin, ("MonthlyBudget", "20")], "needs AlarmEmail"),
        // With all of them, only the canary is refused.
        ([&[dev, ("Canary", "true")], &options[..]].concat(), "dev has none"),
    ] {
        let refused = create_stack(&local.aws.url, "task-api-nowhere", template, &parameters);
        assert!(refused.expect(400).to_string().contains(why), "{parameters:?}: {why}");
    }
}

#[test]
fn a_secret_that_is_rotated_is_known_without_a_deployment() {
    let local = deployed("dev");
    let list = |token: &Token| local.send("dev", "GET", "/api/rotated/tasks", token, "");
    let old = token("dev", "rotated");
    assert_eq!(list(&old).status, 200);
    let started = local.requests("dev", "list-tasks", 1, |_| true).len();

    let rotate = || local.step("dev", OPERATE, "cargo xtask stage prod rotate", &[]);
    success(&mut rotate());
    let again = failure(&mut rotate());
    assert!(again.contains("under way"), "{again}");
    let settings: Value = local.read("dev", "docs/frontend.md")[0].parse().unwrap();
    assert_eq!(settings.get("BETTER_AUTH_SECRET"), None);
    let entries: Vec<&str> = settings["BETTER_AUTH_SECRETS"].as_str().unwrap().split(',').collect();
    let [new, kept] = entries.as_slice() else { panic!("{} secrets", entries.len()) };
    assert_eq!(*kept, format!("1:{}", secret("dev")));
    let new = Token::of("rotated").secret(new.strip_prefix("2:").unwrap());
    // Running functions accept the new secret with the first token that it signs.
    for token in [&new, &old, &new] {
        assert_eq!(list(token).status, 200);
    }

    let finish =
        || success(&mut local.step("dev", OPERATE, "cargo xtask stage prod rotate --finish", &[]));
    finish();
    let none = finish();
    assert!(none.contains("no rotation to finish"), "{none}");
    // The refresh happens after five minutes, or at an unknown token, at least ten seconds after
    // the last one.
    let stranger = Token::of("rotated").secret("a-secret-that-nobody-ever-configured-here");
    let patience = Instant::now() + Duration::from_secs(30);
    while list(&old).status == 200 {
        assert!(Instant::now() < patience, "the old secret is still accepted");
        sleep(Duration::from_secs(1));
        list(&stranger).expect_problem(401, "invalid_token");
    }
    list(&old).expect_problem(401, "invalid_token");
    assert_eq!(list(&new).status, 200);
    // All in the same running function.
    let lines = local.requests("dev", "list-tasks", started + 5, |_| true);
    assert!(lines[started..].iter().all(|line| line["ColdStarts"] == 0), "{lines:#?}");
}

#[test]
fn a_request_is_one_line_of_json_with_its_metrics() {
    let local = deployed("prod");
    let user = "hushed-user";
    let owner = token("prod", user);
    let tasks = format!("/api/{user}/tasks");
    let body = json!({ "title": format!("{MARK} title"), "description": MARK }).to_string();
    let created = local.send("prod", "POST", &tasks, &owner, &body);
    let task = created.expect(201);
    let stranger = token("prod", "somebody-else");
    local.send("prod", "POST", &tasks, &stranger, &body).expect_problem(403, "wrong_user");
    let bad = owner.clone().secret(&format!("{MARK}-a-secret-that-nobody-ever-configured"));
    local.send("prod", "POST", &tasks, &bad, &body).expect_problem(401, "invalid_token");
    local
        .send("prod", "POST", &tasks, &owner, &format!("{{\"title\":7,\"{MARK}\":"))
        .expect_problem(422, "invalid_request");
    local.send("prod", "GET", &format!("{tasks}/{}", task["id"]), &owner, "").expect(200);

    let hash = shared::log_name(&secret("prod").into(), user);
    let function = "create-task";
    let lines = local.requests("prod", function, 2, |line| line["user"] == hash.as_str());
    let [done, invalid] = lines.as_slice() else { panic!("{lines:#?}") };
    for (line, status) in [(done, 201), (invalid, 422)] {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["service"], "task-api-prod");
        assert_eq!(line["operation"], "create-task");
        assert_eq!(line["status"], status);
        assert!(!line["requestId"].as_str().unwrap().is_empty());
        assert!(line["xrayTraceId"].as_str().unwrap().starts_with("1-"));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(line["Latency"].as_f64().unwrap() > 0.0);
        assert_eq!(line["DatabaseRetries"], 0);
    }
    assert!(done["DatabaseLatency"].as_f64().unwrap() > 0.0);
    assert!(done["DatabaseLatency"].as_f64() <= done["Latency"].as_f64());
    assert_eq!((&done.get("code"), &invalid["code"]), (&None, &json!("invalid_request")));
    assert_eq!((&done["Failures"], &invalid["Failures"]), (&json!(0), &json!(1)));
    let refused = local.requests("prod", function, 2, |line| line["user"].is_null());
    let code = |code: &str| refused.iter().find(|line| line["code"] == code).unwrap();
    assert!(code("wrong_user").get("DatabaseLatency").is_none());
    let reason = code("invalid_token")["reason"].as_str().unwrap();
    assert!(reason.starts_with("The token's signature is not valid"), "{reason}");

    metrics_are_those_of_the_format(&[lines.clone(), refused.clone()].concat());

    // No log line of any function contains anything secret or personal.
    let log = local.log("prod").join("\n");
    for hushed in [MARK, user, "somebody-else", &owner.sign(), "eyJ"] {
        assert!(!log.contains(hushed), "{hushed}");
    }
}

/// Checks the metrics that CloudWatch derives from the lines, and that the dashboard and alarms use
/// only those.
fn metrics_are_those_of_the_format(lines: &[Value]) {
    let mut made = BTreeSet::new();
    for line in lines {
        let metadata = &line["_aws"];
        assert!(metadata["Timestamp"].as_u64().unwrap() > 1_795_000_000_000);
        for directive in metadata["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "TaskApi");
            let dimensions = directive["Dimensions"].as_array().unwrap();
            for dimension in dimensions.iter().flat_map(|set| set.as_array().unwrap()) {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension}: {line:#}");
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                assert!(line[name].is_number(), "{name}: {line:#}");
                assert!(["Milliseconds", "Count"].contains(&metric["Unit"].as_str().unwrap()));
                made.insert((name.to_owned(), dimensions[0].to_string()));
            }
        }
    }
    // Metrics that a normal warm request does not have.
    for rare in ["ColdStarts", "DatabaseRetries"] {
        made.insert((rare.to_owned(), r#"["service"]"#.to_owned()));
    }

    let stack = stack("prod");
    let mut asked = BTreeSet::new();
    let alarms = stack.of_type("AWS::CloudWatch::Alarm");
    for alarm in alarms.into_iter().filter(|alarm| alarm["Namespace"] == "TaskApi") {
        let dimensions = alarm["Dimensions"].as_array().unwrap();
        let names: Vec<_> = dimensions.iter().map(|dimension| &dimension["Name"]).collect();
        asked.insert((alarm["MetricName"].as_str().unwrap().to_owned(), json!(names).to_string()));
    }
    let dashboard = stack.only("AWS::CloudWatch::Dashboard")["DashboardBody"].as_str().unwrap();
    let dashboard: Value = dashboard.parse().unwrap();
    for widget in dashboard["widgets"].as_array().unwrap() {
        let mut namespace = Value::Null;
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            // A dot repeats the value above it.
            if metric[0] != "." && metric[0] != "..." {
                namespace = metric[0].clone();
            }
            if namespace == "TaskApi" && metric[0] != "..." {
                asked.insert((metric[1].as_str().unwrap().to_owned(), r#"["service"]"#.to_owned()));
            }
            if let Some(search) =
                metric[0]["expression"].as_str().filter(|e| e.contains("{TaskApi,"))
            {
                assert!(
                    search.contains("{TaskApi,service,code}")
                        && search.contains("MetricName=\"Failures\"")
                );
                asked.insert(("Failures".to_owned(), r#"["service","code"]"#.to_owned()));
            }
        }
    }
    assert_eq!(made, asked);
}
