//! Traces: one datagram for each wait, sent to the X-Ray daemon that Lambda runs beside the
//! function.
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

const DATABASE: &str = "PostgreSQL";

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A database connection.
    DatabaseConnect,
    /// The answer to a statement.
    DatabaseStatement,
    /// Secrets Manager.
    Secrets,
}

/// A wait for another service.
pub(super) struct Call {
    pub(super) wait: Wait,
    pub(super) started: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) failed: bool,
}

/// The address of the daemon.
pub(super) struct Daemon {
    socket: UdpSocket,
    address: String,
}

impl Daemon {
    pub(super) fn new(address: &str) -> Option<Self> {
        // Either `host:port`, or `tcp:host:port udp:host:port`.
        let udp = address.split(' ').find_map(|part| part.strip_prefix("udp:"));
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(Self { socket, address: udp.unwrap_or(address).to_owned() })
    }

    /// Sends the calls of a request whose trace is recorded.
    pub(super) fn send(&self, header: &str, calls: &[Call]) {
        let (Some(root), Some(parent), Some("1")) = (
            trace_field(header, "Root"),
            trace_field(header, "Parent"),
            trace_field(header, "Sampled"),
        ) else {
            return;
        };
        for call in calls {
            let Some(segment) = Subsegment::new(root, parent, call) else { continue };
            let Ok(segment) = serde_json::to_string(&segment) else { continue };
            let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{segment}");
            // Losing a trace is harmless.
            let _ = self.socket.send_to(datagram.as_bytes(), &self.address);
        }
    }
}

/// A call as an X-Ray subsegment.
#[derive(Serialize)]
struct Subsegment<'a> {
    r#type: &'static str,
    namespace: &'static str,
    /// The name of its node in X-Ray's service map.
    name: &'static str,
    id: String,
    trace_id: &'a str,
    parent_id: &'a str,
    start_time: f64,
    end_time: f64,
    fault: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<Sql>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

/// The kind of database; never a query.
#[derive(Serialize)]
struct Sql {
    database_type: &'static str,
}

/// Makes traces searchable, as `annotation.step = "connect"`.
#[derive(Serialize)]
struct Annotations {
    step: &'static str,
}

impl<'a> Subsegment<'a> {
    fn new(trace_id: &'a str, parent_id: &'a str, call: &Call) -> Option<Self> {
        let mut id = [0; 8];
        SystemRandom::new().fill(&mut id).ok()?;
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
        };
        // One name for the whole database, so it is one node.
        let database =
            |step| (DATABASE, Some(Sql { database_type: DATABASE }), Some(Annotations { step }));
        let (name, sql, annotations) = match call.wait {
            Wait::DatabaseConnect => database("connect"),
            Wait::DatabaseStatement => database("statement"),
            Wait::Secrets => ("Secrets Manager", None, None),
        };
        Some(Self {
            r#type: "subsegment",
            namespace: "remote",
            name,
            id: format!("{:016x}", u64::from_be_bytes(id)),
            trace_id,
            parent_id,
            start_time: seconds(call.started),
            end_time: seconds(call.ended),
            fault: call.failed,
            sql,
            annotations,
        })
    }
}

/// A field of a trace header: `Root=1-…;Parent=…;Sampled=1`.
pub(super) fn trace_field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::time::Duration;

    #[test]
    fn the_database_is_one_node_whatever_is_asked_of_it() {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let address = daemon.local_addr().unwrap();
        let sender = Daemon::new(&format!("tcp:127.0.0.1:1 udp:{address}")).unwrap();
        let waits = [Wait::DatabaseConnect, Wait::DatabaseStatement, Wait::Secrets];
        let started = UNIX_EPOCH + Duration::from_millis(1500);
        let call = |wait| Call {
            wait,
            started,
            ended: started + Duration::from_millis(250),
            failed: wait == Wait::DatabaseConnect,
        };
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=";
        sender.send(&format!("{header}0"), &waits.map(call));
        sender.send(&format!("{header}1"), &waits.map(call));
        let received = || {
            let mut buffer = [0; 1024];
            let length = daemon.recv(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            let (_, segment) = text.split_once('\n').unwrap();
            let mut segment: Value = segment.parse().unwrap();
            let id = segment.as_object_mut().unwrap().remove("id").unwrap();
            assert_eq!(id.as_str().unwrap().len(), 16);
            segment
        };
        let expected = |name: &str, fault: bool| {
            json!({
                "type": "subsegment", "namespace": "remote", "name": name, "fault": fault,
                "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "parent_id": "53995c3f42cd8ad8",
                "start_time": 1.5, "end_time": 1.75,
            })
        };
        for (step, fault) in [("connect", true), ("statement", false)] {
            let mut database = expected("PostgreSQL", fault);
            database["sql"] = json!({ "database_type": "PostgreSQL" });
            database["annotations"] = json!({ "step": step });
            assert_eq!(received(), database);
        }
        assert_eq!(received(), expected("Secrets Manager", false));
    }

    #[test]
    fn a_trace_header_is_read_field_by_field() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(trace_field(header, "Root"), Some("1-5759e988-bd862e3fe1be46a994272793"));
        assert_eq!(trace_field(header, "Parent"), Some("53995c3f42cd8ad8"));
        assert_eq!(trace_field(header, "Sampled"), Some("1"));
        assert_eq!(trace_field("Rooted=1", "Root"), None);
    }
}
