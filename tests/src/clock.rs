//! A clock that does not count stalls of the machine, so that a slow request differs from one that
//! could not run.
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

/// A time of this clock.
#[derive(Debug, Clone, Copy)]
pub struct Moment(u64);

impl Moment {
    /// Now.
    pub fn now() -> Self {
        static MICROS: LazyLock<&AtomicU64> = LazyLock::new(|| {
            let micros: &AtomicU64 = Box::leak(Box::default());
            thread::spawn(|| tick(micros));
            micros
        });
        Self(MICROS.load(Ordering::Relaxed))
    }

    /// The time since then, to a few ticks; less than on other clocks if the machine stalled.
    pub fn elapsed(self) -> Duration {
        Duration::from_micros(Self::now().0 - self.0)
    }
}

fn tick(micros: &AtomicU64) {
    loop {
        let started = Instant::now();
        sleep(TICK);
        // A thread that wakes later than this was stalled, and so were all others.
        let passed = started.elapsed().min(TICK * 2);
        micros.fetch_add(u64::try_from(passed.as_micros()).unwrap(), Ordering::Relaxed);
    }
}
