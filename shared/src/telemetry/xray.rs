//! Traces: to the X-Ray daemon that Lambda runs beside the function, a datagram for each wait.
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

/// A wait for another service.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) started: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) failed: bool,
}

/// Where traces go.
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
            // A trace that is lost costs nobody anything.
            let _ = self.socket.send_to(datagram.as_bytes(), &self.address);
        }
    }
}

/// A call as X-Ray's segment documents have it.
#[derive(Serialize)]
struct Subsegment<'a> {
    r#type: &'static str,
    namespace: &'static str,
    name: &'static str,
    id: String,
    trace_id: &'a str,
    parent_id: &'a str,
    start_time: f64,
    end_time: f64,
    fault: bool,
}

impl<'a> Subsegment<'a> {
    fn new(trace_id: &'a str, parent_id: &'a str, call: &Call) -> Option<Self> {
        let mut id = [0; 8];
        SystemRandom::new().fill(&mut id).ok()?;
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
        };
        Some(Self {
            r#type: "subsegment",
            namespace: "remote",
            name: call.name,
            id: format!("{:016x}", u64::from_be_bytes(id)),
            trace_id,
            parent_id,
            start_time: seconds(call.started),
            end_time: seconds(call.ended),
            fault: call.failed,
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

    #[test]
    fn a_trace_header_is_read_field_by_field() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(trace_field(header, "Root"), Some("1-5759e988-bd862e3fe1be46a994272793"));
        assert_eq!(trace_field(header, "Parent"), Some("53995c3f42cd8ad8"));
        assert_eq!(trace_field(header, "Sampled"), Some("1"));
        assert_eq!(trace_field("Rooted=1", "Root"), None);
    }
}
