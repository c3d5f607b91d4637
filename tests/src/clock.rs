//! A clock that stands still while the machine does, so that what takes too long is told from who
//! is kept from running.
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

    /// How long ago it was, to a few ticks; less than by other clocks where nobody could run for a while.
    pub fn elapsed(self) -> Duration {
        Duration::from_micros(Self::now().0 - self.0)
    }
}

fn tick(micros: &AtomicU64) {
    loop {
        let started = Instant::now();
        sleep(TICK);
        // Who wakes later than this was kept from running, and so was everybody else.
        let passed = started.elapsed().min(TICK * 2);
        micros.fetch_add(u64::try_from(passed.as_micros()).unwrap(), Ordering::Relaxed);
    }
}
