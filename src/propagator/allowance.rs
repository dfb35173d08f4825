//! How much memory a run may take: the limit of the file, and half of what the machine has free.

use crate::error::{Error, Result};

/// Refuses `bytes` for `what` above `limit`, or above half of the machine's free memory where that is known.
///
/// The free memory only refuses: no method is chosen by it, so results do not depend on the machine.
pub(super) fn allow(what: &str, bytes: u64, limit: u64, remedy: &str) -> Result<()> {
    allow_on(free_bytes(), what, bytes, limit, remedy)
}

fn allow_on(free: Option<u64>, what: &str, bytes: u64, limit: u64, remedy: &str) -> Result<()> {
    let refuse = |what: String, limit: u64, remedy: String| Err(Error::TooLarge { what, bytes, limit, remedy });
    if bytes > limit {
        return refuse(what.into(), limit, format!("{remedy}, or raise method.memory_limit"));
    }
    match free {
        Some(free) if bytes > free / 2 => refuse(
            format!("{what}, on a machine with {free} bytes free of which half may go,"),
            free / 2,
            remedy.into(),
        ),
        _ => Ok(()),
    }
}

/// Bytes that the system says are available; `None` where it does not say.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_and_half_of_the_free_memory_refuse() {
        let on = |free, bytes| allow_on(free, "a history", bytes, 1 << 30, "use exponentials");
        assert!(on(Some(4 << 30), 1 << 30).is_ok());
        assert!(on(None, 1 << 30).is_ok());
        let limited = on(Some(4 << 30), (1 << 30) + 1).unwrap_err().to_string();
        assert!(limited.contains("use exponentials, or raise method.memory_limit"), "{limited}");
        let full = on(Some(1 << 30), 600 << 20).unwrap_err();
        assert_eq!(full.exit_code(), 2);
        assert!(full.to_string().contains("free of which half may go") && !full.to_string().contains("memory_limit"));
    }
}
