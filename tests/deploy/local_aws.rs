//! A stage, deployed with the operator's commands into a local AWS, with the built binaries, a secret
//! in Secrets Manager and a PostgreSQL database.
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{
    Fixture, ISSUER, JwtApp, Page, Reply, SECRET, Token, ask_aws, ask_cloudformation, call_aws,
    create_stack, database, documented, put_secret, request, resources, stored_secret,
};

use crate::check::{Checked, record};
use crate::logins::{OWNER_PASSWORD, Stage, local_aws};
use crate::shape::integrations;
use crate::template::OPTIONS;
use crate::tools::{
    built, failure, operator, sam, stack, success, translated, with_aws, with_aws_cli,
};

/// What must never be logged: users' texts and unknown secrets.
const MARK: &str = "HUSH";
const DEPLOY: &str = "docs/deploy.md";
const OPERATE: &str = "docs/operate.md";
/// Rows of the check.
const ACCESS_LOG: &str = "access log of the gateway";
const COLD_STARTS: &str = "cold starts, as Lambda reports them";
const METRICS: &str = "metrics of the functions";

/// The stage `dev` in a local AWS.
struct Local {
    stage: Stage<'static>,
    /// The id of its API.
    api: String,
}

/// The deployed stage, for one test at a time: they change its secret and its functions.
fn deployed() -> MutexGuard<'static, Local> {
    static LOCAL: LazyLock<Mutex<Local>> = LazyLock::new(|| Mutex::new(Local::deploy()));
    LOCAL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Local {
    /// Follows `docs/deploy.md`, and reads what `docs/frontend.md` needs afterwards.
    fn deploy() -> Self {
        static AWS: LazyLock<Fixture> =
            // As Lambda sets it for functions.
            LazyLock::new(|| Fixture::start("aws", &[("AWS_LAMBDA_LOG_FORMAT", "JSON")]));
        let stage = Stage::new(&AWS, "dev", database());
        let mut local = Self { stage, api: String::new() };
        let prepare = || local.step(DEPLOY, "cargo xtask stage dev prepare", &["--no-prompt"]);
        let missing = failure(&mut prepare());
        assert!(missing.contains("BETTER_AUTH_SECRET is missing"), "{missing}");
        let early = failure(&mut local.step(DEPLOY, "cargo xtask stage dev check", &[]));
        assert!(early.contains("is not deployed"), "{early}");

        let said = success(&mut local.stage.prepare(&["--dry-run"]));
        assert!(said.contains("Would write the secret"), "{said}");
        let said = success(&mut local.stage.prepare(&[]));
        assert!(said.contains("is created") && said.contains("is migrated"), "{said}");
        // A second run has nothing to do and asks nothing.
        let said = success(&mut prepare());
        assert!(said.contains("is unchanged") && said.contains("up to date"), "{said}");
        assert!(!said.contains(SECRET) && !said.contains(OWNER_PASSWORD), "{said}");
        let given = local.read("docs/frontend.md");
        let [settings, url] = given.as_slice() else { panic!("{} commands", given.len()) };
        assert!(settings.contains(SECRET) && settings.contains(ISSUER));
        assert!(url.starts_with("postgres://better_auth_dev_a:"));

        let built = built();
        // As an operator would set it to find slow requests.
        let traced = "Stage=dev AllowedOrigins=http://localhost:3000 Tracing=Active";
        let more = ["--no-confirm-changeset", "--parameter-overrides", traced];
        success(&mut local.step(DEPLOY, "sam deploy --config-env dev", &more));
        drop(built);
        local.make_routes();

        // This AWS records neither of these.
        let none = [
            (METRICS, "differs", "0 requests"),
            (ACCESS_LOG, "differs", "0 lines"),
            (COLD_STARTS, "differs", "no report"),
        ];
        local.check().expect(3, &none);
        record(&AWS.url, "task-api-dev");
        let checked = local.check();
        checked.expect(0, &[]);
        assert!(checked.text.contains("at most 36.5 ms of init and 18 MB"), "{}", checked.text);
        local
    }

    /// A command on a page, with more arguments.
    fn step(&self, page: &str, command: &str, more: &[&str]) -> Command {
        let endpoint = &self.stage.aws.url;
        let words = documented(page, command).replace("prod", "dev");
        let words: Vec<_> = words.split(' ').chain(more.iter().copied()).collect();
        let (mut program, arguments) = match words.as_slice() {
            ["cargo", "xtask", arguments @ ..] => (operator(endpoint), arguments),
            ["sam", arguments @ ..] => (with_aws(sam("sam"), endpoint), arguments),
            _ => panic!("{command} of {page} is neither of xtask nor of SAM"),
        };
        program.args(arguments);
        program
    }

    /// The output of the AWS CLI commands on a page.
    fn read(&self, page: &str) -> Vec<String> {
        let commands = Page::read(page).commands().into_iter();
        let commands = commands.filter(|command| command.text.starts_with("aws "));
        let print = |text: String| {
            let mut shell = with_aws_cli(with_aws(Command::new("sh"), &self.stage.aws.url));
            success(shell.args(["-c", &text]))
        };
        commands.map(|command| print(command.text)).collect()
    }

    /// The API's URL without a DNS lookup.
    fn url(&self) -> String {
        format!("{}/_aws/execute-api/{}/$default", self.stage.aws.url, self.api)
    }

    fn check(&self) -> Checked {
        let more = ["--url", &self.url(), "--wait", "0"];
        let check = self.step(DEPLOY, "cargo xtask stage dev check", &more);
        let checked = Checked::run(&self.stage, check);
        assert!(!checked.text.contains(SECRET), "{}", checked.text);
        checked
    }

    /// A call of an AWS API whose requests are JSON.
    fn call(&self, service: &str, method: &str, path: &str, body: &Value) -> Reply {
        call_aws(&self.stage.aws.url, service, method, path, &[], &body.to_string())
    }

    /// Sets up CORS and the routes in the API's body, which this AWS does not read.
    fn make_routes(&mut self) {
        let name = [("StackName", "task-api-dev")];
        let described = ask_cloudformation(&self.stage.aws.url, "DescribeStacks", &name);
        let described = described.expect(200).to_string();
        let (before, _) = described.split_once(".execute-api.").unwrap();
        before.rsplit_once('/').unwrap().1.clone_into(&mut self.api);

        let api = format!("/v2/apis/{}", self.api);
        let body = &stack("dev").only("AWS::ApiGatewayV2::Api")["Body"];
        let cors = json!({ "corsConfiguration": body["x-amazon-apigateway-cors"] });
        self.call("apigateway", "PATCH", &api, &cors).expect(200);
        let make = |what: &str, properties: &Value| {
            self.call("apigateway", "POST", &format!("{api}/{what}"), properties).expect(201)
        };
        for integration in integrations(stack("dev")) {
            let function =
                format!("arn:aws:lambda:us-east-1:000000000000:function:{}", integration.alias);
            let integrated = make(
                "integrations",
                &json!({
                    "integrationType": "AWS_PROXY",
                    "integrationUri": function,
                    "payloadFormatVersion": integration.settings["payloadFormatVersion"],
                }),
            );
            let target = format!("integrations/{}", integrated["integrationId"].as_str().unwrap());
            make("routes", &json!({ "routeKey": integration.route, "target": target }));
        }
    }

    /// The secrets that are valid for tokens; the first one signs.
    fn secrets(&self) -> Vec<String> {
        let settings = stored_secret(&self.stage.aws.url, "task-api/dev");
        let settings: Value = settings.parse().unwrap();
        match settings["BETTER_AUTH_SECRETS"].as_str() {
            None => vec![settings["BETTER_AUTH_SECRET"].as_str().unwrap().to_owned()],
            Some(list) => {
                assert_eq!(settings.get("BETTER_AUTH_SECRET"), None);
                list.split(',').map(|entry| entry.split_once(':').unwrap().1.to_owned()).collect()
            }
        }
    }

    /// Sends a request to the API.
    fn send(&self, method: &str, path: &str, token: &Token, body: &str) -> Reply {
        let bearer = format!("Bearer {}", token.sign());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        request(method, &format!("{}{path}", self.url()), &headers, body)
    }

    /// The functions' log.
    fn log(&self) -> Vec<String> {
        let group = json!({ "logGroupName": "/aws/lambda/task-api-dev", "limit": 10_000 });
        let found = ask_aws(&self.stage.aws.url, "Logs_20140328.FilterLogEvents", &group);
        let events = found["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The lines of a function's requests that `is` selects, once there are at least `count`.
    fn requests(&self, function: &str, count: usize, is: impl Fn(&Value) -> bool) -> Vec<Value> {
        let patience = Instant::now() + Duration::from_secs(20);
        let of_function =
            |line: &Value| line["message"] == "request" && line["operation"] == function;
        loop {
            let lines = self.log().into_iter().filter_map(|line| line.parse::<Value>().ok());
            let lines: Vec<_> = lines.filter(|line| of_function(line) && is(line)).collect();
            if lines.len() >= count {
                return lines;
            }
            assert!(Instant::now() < patience, "{function}: {:#?}", self.log());
            sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn the_check_of_a_broken_stage_names_what_is_broken() {
    let local = deployed();
    local
        .call("apigateway", "DELETE", &format!("/v2/apis/{}/cors", local.api), &Value::Null)
        .expect(204);
    let function = |name: &str| format!("/2015-03-31/functions/task-api-dev-{name}");
    let configure = |name: &str, settings: &Value| {
        let path = format!("{}/configuration", function(name));
        local.call("lambda", "PUT", &path, settings).expect(200);
    };
    // A function whose setting is missing, and one of whose starts Lambda reports nothing.
    configure("get-task", &json!({ "Environment": { "Variables": { "APP_SECRET_ID": "" } } }));
    let latest = json!({ "FunctionVersion": "$LATEST" });
    local
        .call("lambda", "PUT", &format!("{}/aliases/live", function("get-task")), &latest)
        .expect(200);
    let quiet = json!({ "LoggingConfig": { "LogFormat": "JSON", "SystemLogLevel": "WARN" } });
    for resource in resources() {
        configure(resource.create().function, &quiet);
    }

    record(&local.stage.aws.url, "task-api-dev");
    let denied = "403 of the gateway, which does not allow http://localhost:3000";
    local.check().expect(
        1,
        &[
            ("get-task", "FAILS", "502 of the gateway"),
            ("preflight of a browser", "FAILS", denied),
            ("answers that a browser can read", "differs", "not 200, 201, 401, 403, 502"),
            (COLD_STARTS, "not asked", "SystemLogLevel is WARN: Lambda reports only failures"),
        ],
    );
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let aws = local_aws();
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
        let refused = create_stack(&aws.url, "task-api-nowhere", template, &parameters);
        assert!(refused.expect(400).to_string().contains(why), "{parameters:?}: {why}");
    }
}

#[test]
fn a_secret_that_is_rotated_is_known_without_a_deployment() {
    let local = deployed();
    let list = |token: &Token| local.send("GET", "/api/rotated/tasks", token, "");
    let of = |secret: &str| Token::of("rotated").secret(secret);
    let old = of(SECRET);
    assert_eq!(list(&old).status, 200);
    let started = local.requests("list-tasks", 1, |_| true).len();

    let rotate = || local.step(OPERATE, "cargo xtask stage prod rotate", &[]);
    success(&mut rotate());
    let again = failure(&mut rotate());
    assert!(again.contains("under way"), "{again}");
    let secrets = local.secrets();
    assert_eq!((secrets.len(), secrets[1].as_str()), (2, SECRET));
    let new = of(&secrets[0]);
    // Running functions accept the new secret with the first token that it signs.
    for token in [&new, &old, &new] {
        assert_eq!(list(token).status, 200);
    }

    let finish =
        || success(&mut local.step(OPERATE, "cargo xtask stage prod rotate --finish", &[]));
    finish();
    let none = finish();
    assert!(none.contains("no rotation to finish"), "{none}");
    // The refresh happens after five minutes, or at an unknown token, at least ten seconds after
    // the last one.
    let stranger = of("a-secret-that-nobody-ever-configured-here");
    let patience = Instant::now() + Duration::from_secs(30);
    while list(&old).status == 200 {
        assert!(Instant::now() < patience, "the old secret is still accepted");
        sleep(Duration::from_secs(1));
        list(&stranger).expect_problem(401, "invalid_token");
    }
    list(&old).expect_problem(401, "invalid_token");
    assert_eq!(list(&new).status, 200);
    // All in the same running function.
    let lines = local.requests("list-tasks", started + 5, |_| true);
    assert!(lines[started..].iter().all(|line| line["ColdStarts"] == 0), "{lines:#?}");
}

#[test]
fn an_app_with_its_own_keys_is_served_without_asking_it() {
    let local = deployed();
    let mut app = JwtApp::start("EdDSA");
    let before = stored_secret(&local.stage.aws.url, "task-api/dev");
    let mut settings: Value = before.parse().unwrap();
    for (name, value) in [
        ("JWT_JWKS_URL", app.keys_url()),
        ("JWT_ISSUER", app.url.clone()),
        ("JWT_AUDIENCE", app.url.clone()),
    ] {
        settings[name] = value.into();
    }
    let put = |settings: &str| put_secret(&local.stage.aws.url, "task-api/dev", settings);
    // At a token of an unknown secret, the running function reads its settings.
    let refresh = || {
        sleep(Duration::from_secs(11));
        let stranger = Token::of("u").secret("a-secret-that-nobody-ever-configured-here");
        local.send("GET", "/api/u/tasks", &stranger, "").expect_problem(401, "invalid_token");
    };
    put(&settings.to_string());
    let said = success(&mut local.step(DEPLOY, "cargo xtask stage dev prepare", &["--no-prompt"]));
    assert!(said.contains("usable keys: EdDSA"), "{said}");
    refresh();
    let bearer = format!("Bearer {}", app.token());
    let url = format!("{}/api/{}/tasks", local.url(), app.user);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(request("GET", &url, &headers, "").expect(200), json!([]));
    let served = local.requests("list-tasks", 1, |line| line["status"] == 200);
    assert!(served.iter().all(|line| line["KeysLatency"].is_null()), "{served:#?}");
    put(&before);
    refresh();
    request("GET", &url, &headers, "").expect_problem(401, "invalid_token");
}

#[test]
fn a_request_is_one_line_of_json_with_its_metrics() {
    let local = deployed();
    let secret = local.secrets().remove(0);
    let user = "hushed-user";
    let owner = Token::of(user).secret(&secret);
    let tasks = format!("/api/{user}/tasks");
    let create = |token: &Token, body: &str| local.send("POST", &tasks, token, body);
    let body = json!({ "title": format!("{MARK} title"), "description": MARK }).to_string();
    create(&owner, &body).expect(201);
    let stranger = Token::of("somebody-else").secret(&secret);
    create(&stranger, &body).expect_problem(403, "wrong_user");
    let bad = owner.clone().secret(&format!("{MARK}-a-secret-that-nobody-ever-configured"));
    create(&bad, &body).expect_problem(401, "invalid_token");
    create(&owner, &format!("{{\"title\":7,\"{MARK}\":")).expect_problem(422, "invalid_request");
    local.send("GET", &tasks, &owner, "").expect(200);

    let hash = shared::log_name(&secret.clone().into(), user);
    let lines = local.requests("create-task", 2, |line| line["user"] == hash.as_str());
    let [done, invalid] = lines.as_slice() else { panic!("{lines:#?}") };
    for (line, status) in [(done, 201), (invalid, 422)] {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["service"], "task-api-dev");
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
    let refused = local.requests("create-task", 2, |line| line["user"].is_null());
    let code = |code: &str| refused.iter().find(|line| line["code"] == code).unwrap();
    assert!(code("wrong_user").get("DatabaseLatency").is_none());
    let reason = code("invalid_token")["reason"].as_str().unwrap();
    assert!(reason.starts_with("The token's signature is not valid"), "{reason}");

    metrics_are_those_of_the_format(&[lines.clone(), refused.clone()].concat());

    // No log line of any function contains anything secret or personal.
    let log = local.log().join("\n");
    for hushed in [MARK, user, "somebody-else", &owner.sign(), "eyJ", SECRET, &secret] {
        assert!(!log.contains(hushed), "{hushed}");
    }
}

/// Checks the metrics that CloudWatch derives from the lines, and that the dashboard and alarms use
/// only those.
fn metrics_are_those_of_the_format(lines: &[Value]) {
    // Those that a normal warm request does not have.
    let mut made: BTreeSet<_> = ["ColdStarts", "DatabaseRetries"].map(of_service).into();
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

    let stack = stack("prod");
    let mut asked = BTreeSet::new();
    let alarms = stack.of_type("AWS::CloudWatch::Alarm");
    for alarm in alarms.into_iter().filter(|alarm| alarm["Namespace"] == "TaskApi") {
        let dimensions = alarm["Dimensions"].as_array().unwrap();
        let names: Vec<_> = dimensions.iter().map(|dimension| &dimension["Name"]).collect();
        asked.insert((alarm["MetricName"].as_str().unwrap().to_owned(), json!(names).to_string()));
    }
    let dashboard = stack.only("AWS::CloudWatch::Dashboard")["DashboardBody"].as_str().unwrap();
    let search =
        r#"SEARCH('{TaskApi,service,code} service=\"task-api-prod\" MetricName=\"Failures\"'"#;
    assert_eq!(dashboard.matches("{TaskApi,").count(), dashboard.matches(search).count());
    asked.insert(("Failures".to_owned(), r#"["service","code"]"#.to_owned()));
    let dashboard: Value = dashboard.parse().unwrap();
    for widget in dashboard["widgets"].as_array().unwrap() {
        let metrics = &widget["properties"]["metrics"];
        // Rows that begin with dots repeat the namespace of the first one.
        if metrics[0][0] == "TaskApi" {
            let names = metrics.as_array().unwrap().iter().filter_map(|row| row[1].as_str());
            asked.extend(names.map(of_service));
        }
    }
    assert_eq!(made, asked);
}

/// A metric with the one dimension that each has.
fn of_service(name: &str) -> (String, String) {
    (name.to_owned(), r#"["service"]"#.to_owned())
}
