//! The usual `process_*` metrics, read from `/proc/self` when scraped.
//!
//! Names and meanings are those of the official Prometheus clients.

use std::fs;
use std::sync::OnceLock;

use procfs::{CurrentSI, KernelStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};

/// Metrics of this process; those that the system does not tell are left out.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut gauge = |name, help, value: Option<f64>| match value {
            Some(value) => {
                let gauge = ConstGauge::new(value);
                let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
                gauge.encode(metric)
            }
            None => Ok(()),
        };
        let open_fds = open_fds();
        let process = procfs::process::Process::myself().ok();
        let stat = process.as_ref().and_then(|process| process.stat().ok());
        let stat = stat.as_ref();
        // The resident pages of `stat` are an estimate.
        let memory = process.as_ref().and_then(|process| process.statm().ok());
        gauge(
            "process_max_fds",
            "Most file descriptors that the process may open",
            getrlimit(Resource::Nofile).current.map(float),
        )?;
        gauge(
            "process_open_fds",
            "File descriptors that the process has open",
            open_fds.map(float),
        )?;
        gauge(
            "process_resident_memory_bytes",
            "Memory of the process that is in the machine's memory",
            memory.map(|memory| float(memory.resident.saturating_mul(procfs::page_size()))),
        )?;
        gauge(
            "process_start_time_seconds",
            "When the process started",
            stat.and_then(|stat| Some(float(boot_time()?) + seconds(stat.starttime))),
        )?;
        gauge(
            "process_threads",
            "Threads of the process",
            stat.and_then(|stat| Some(float(stat.num_threads.try_into().ok()?))),
        )?;
        gauge(
            "process_virtual_memory_bytes",
            "Addresses that the process has mapped",
            stat.map(|stat| float(stat.vsize)),
        )?;
        if let Some(stat) = stat {
            let counter = ConstCounter::new(seconds(stat.utime + stat.stime));
            let metric = encoder.encode_descriptor(
                "process_cpu_seconds",
                "Time that the process used a processor, its own and the system's for it",
                None,
                counter.metric_type(),
            )?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a double is what Prometheus keeps; 53 bits of bytes are 8 PiB"
)]
fn float(number: u64) -> f64 {
    number as f64
}

/// Converts the system's clock ticks.
fn seconds(ticks: u64) -> f64 {
    float(ticks) / float(procfs::ticks_per_second())
}

/// Counts the open descriptors. The crate's count differs by three between kernels.
fn open_fds() -> Option<u64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the folder that is being read.
    u64::try_from(entries.saturating_sub(1)).ok()
}

/// Returns the time at which the machine started, read once a process: the system computes it from two
/// clocks, and it would tremble.
fn boot_time() -> Option<u64> {
    static BOOT: OnceLock<Option<u64>> = OnceLock::new();
    *BOOT.get_or_init(|| Some(KernelStats::current().ok()?.btime))
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    fn scrape() -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    fn value(text: &str, name: &str) -> f64 {
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is missing in {text}"))
            .parse()
            .unwrap()
    }

    #[test]
    fn reads_stat_whatever_the_name_of_the_program() {
        let before = value(&scrape(), "process_start_time_seconds");
        let own = fs::read_to_string("/proc/self/comm").unwrap();
        fs::write("/proc/self/comm", "a) S 9 (b c)").unwrap();
        let renamed = fs::read_to_string("/proc/self/stat").unwrap();
        let text = scrape();
        fs::write("/proc/self/comm", own.trim_end()).unwrap();
        assert!(renamed.contains("(a) S 9 (b c)) "), "{renamed}");
        assert!((value(&text, "process_start_time_seconds") - before).abs() < f64::EPSILON);
        assert!(value(&text, "process_threads") >= 1.0);
    }

    #[test]
    fn agrees_with_the_other_files_of_the_system() {
        let text = scrape();
        let field = |file: &str, start: &str| -> Option<f64> {
            let file = fs::read_to_string(file).unwrap();
            let rest = file.lines().find_map(|line| line.strip_prefix(start))?;
            rest.split_ascii_whitespace().next()?.parse().ok()
        };
        let fds = field("/proc/self/limits", "Max open files").unwrap();
        assert!((value(&text, "process_max_fds") - fds).abs() < f64::EPSILON);
        let resident = 1024.0 * field("/proc/self/status", "VmRSS:").unwrap();
        let ratio = value(&text, "process_resident_memory_bytes") / resident;
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
        let up = field("/proc/uptime", "").unwrap();
        let now = crate::telemetry::seconds(crate::clock::Clock::system().now());
        let booted = float(boot_time().unwrap());
        assert!((now - up - booted).abs() < 5.0, "{now} {up} {booted}");
    }

    #[test]
    fn this_process_has_sane_values() {
        let text = scrape();
        let value = |name: &str| value(&text, name);
        assert!(value("process_cpu_seconds_total") >= 0.0);
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_threads") >= 1.0);
        let now = crate::telemetry::seconds(crate::clock::Clock::system().now());
        let age = now - value("process_start_time_seconds");
        assert!((-5.0..3600.0).contains(&age), "{age}");
    }
}
