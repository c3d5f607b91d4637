//! Child processes that end with this process.
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Where the output of a process goes.
pub(crate) enum Output {
    /// To our output, with the process's name before each line, except for lines that begin with
    /// one of these texts.
    NamedWithout(&'static [&'static str]),
    /// To a file.
    File(File),
}

impl Output {
    pub(crate) const NAMED: Self = Self::NamedWithout(&[]);
}

/// A running process in its own process group, so that Ctrl-C reaches only us.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    /// The signal for an orderly exit.
    signal: Signal,
}

impl Process {
    pub(crate) fn spawn(
        name: &'static str,
        command: &mut Command,
        signal: Signal,
        output: Output,
    ) -> Result<Self> {
        command.stdin(Stdio::null()).process_group(0);
        let hidden = match output {
            Output::NamedWithout(hidden) => {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                hidden
            }
            Output::File(file) => {
                command.stdout(file.try_clone()?).stderr(file);
                &[]
            }
        };
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        pump(name, hidden, child.stdout.take());
        pump(name, hidden, child.stderr.take());
        Ok(Self { name, child, signal })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it listens on a port of loopback.
    pub(crate) fn await_port(&mut self, port: u16) -> Result<()> {
        let patience = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = self.ended() {
                bail!("{} did not start ({status})", self.name);
            }
            if Instant::now() > patience {
                bail!("{} does not answer", self.name);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Ends it with `signal`, and runs its command again.
    pub(crate) fn restart(&mut self, command: &mut Command, signal: Signal) -> Result<()> {
        let usual = std::mem::replace(&mut self.signal, signal);
        self.stop();
        self.signal = usual;
        self.child = command.spawn().with_context(|| format!("cannot start {}", self.name))?;
        Ok(())
    }

    /// Ends it, and all other processes in its group.
    fn stop(&mut self) {
        let id = Pid::from_child(&self.child);
        // Each fails only if the process is gone already.
        let _ = kill_process(id, self.signal);
        let patience = Instant::now() + Duration::from_secs(10);
        while self.ended().is_none() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = kill_process_group(id, Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

fn pump(
    name: &'static str,
    hidden: &'static [&'static str],
    stream: Option<impl Read + Send + 'static>,
) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        for line in shown(BufReader::new(stream), hidden) {
            println!("{name:>8} | {line}");
        }
    });
}

/// The lines that do not begin with one of these texts.
fn shown(stream: impl BufRead, hidden: &[&str]) -> impl Iterator<Item = String> {
    let lines = stream.lines().map_while(Result::ok);
    lines.filter(move |line| !hidden.iter().any(|text| line.trim_start().starts_with(text)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_only_url_shown_is_ours() {
        let said = "▲ Next.js 16.4.6 (Turbopack)\n- Local:         http://127.0.0.1:3000\n- Network:       http://127.0.0.1:3000\n✓ Ready in 2s\n";
        for (hidden, lines) in [(crate::frontend::ITS_URLS, 2), (&[], 4)] {
            assert_eq!(super::shown(said.as_bytes(), hidden).count(), lines);
        }
    }
}
