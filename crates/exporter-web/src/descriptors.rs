//! File descriptors: as many as the system allows, most of them for connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are left for everything but connections: listeners, files, calls to other servers.
const RESERVED: u64 = 64;

/// Raises the limit of open files to the hard limit, and returns how many connections fit below it;
/// `max` where more would.
pub fn connections(max: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    connection_limit(max, current)
}

/// Returns the smaller of `max` and what `descriptors` leave; `None` is no limit.
fn connection_limit(max: usize, descriptors: Option<u64>) -> usize {
    let Some(descriptors) = descriptors else {
        return max;
    };
    let room = descriptors.saturating_sub(RESERVED).max(1);
    max.min(usize::try_from(room).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(connection_limit(4096, Some(1024)), 960);
        assert_eq!(connection_limit(4096, Some(524_288)), 4096);
        assert_eq!(connection_limit(4096, None), 4096);
        assert_eq!(connection_limit(4096, Some(10)), 1);
    }

    #[test]
    fn the_limit_of_open_files_is_raised() {
        connections(4096);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
