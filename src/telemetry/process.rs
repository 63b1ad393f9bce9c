//! The usual `process_*` metrics, read from `/proc/self` when scraped.
//!
//! Names and meanings are those of the official Prometheus clients.

use std::fs;
use std::sync::OnceLock;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Clock ticks a second in `/proc`: `USER_HZ`, which Linux keeps at 100 on all its common machines.
const TICKS: f64 = 100.0;

/// Reads this process; what the system does not tell is left out.
#[derive(Debug)]
pub struct Process;

/// What `/proc/self/stat` tells (proc(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    /// Seconds.
    cpu: f64,
    threads: u64,
    /// Seconds since the machine started.
    started: f64,
    /// Bytes.
    virtual_memory: u64,
}

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
        let stat = read("stat").and_then(|text| stat(&text));
        let resident = read("status").and_then(|text| resident(&text));
        let max_fds = read("limits").and_then(|text| max_fds(&text));
        gauge(
            "process_max_fds",
            "Most file descriptors that the process may open",
            max_fds.map(float),
        )?;
        gauge(
            "process_open_fds",
            "File descriptors that the process has open",
            open_fds().map(float),
        )?;
        gauge(
            "process_resident_memory_bytes",
            "Memory of the process that is in the machine's memory",
            resident.map(float),
        )?;
        gauge(
            "process_start_time_seconds",
            "When the process started",
            stat.as_ref().and_then(start_time),
        )?;
        gauge(
            "process_threads",
            "Threads of the process",
            stat.as_ref().map(|s| float(s.threads)),
        )?;
        gauge(
            "process_virtual_memory_bytes",
            "Addresses that the process has mapped",
            stat.as_ref().map(|s| float(s.virtual_memory)),
        )?;
        if let Some(stat) = stat {
            let counter = ConstCounter::new(stat.cpu);
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

fn read(file: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/self/{file}")).ok()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a double is what Prometheus keeps; 53 bits of bytes are 8 PiB"
)]
fn float(number: u64) -> f64 {
    number as f64
}

fn stat(text: &str) -> Option<Stat> {
    // The second field is the program's name in brackets and may hold anything, brackets too.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // proc(5) counts from 1, and the third field is the first one here.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu: float(field(14)? + field(15)?) / TICKS,
        threads: field(20)?,
        started: float(field(22)?) / TICKS,
        virtual_memory: field(23)?,
    })
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The soft limit; none when there is none.
fn max_fds(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|l| l.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn open_fds() -> Option<u64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the folder that is being read.
    u64::try_from(entries.saturating_sub(1)).ok()
}

/// Read once: the system computes it from two clocks, and it would tremble.
fn start_time(stat: &Stat) -> Option<f64> {
    static BOOT: OnceLock<Option<u64>> = OnceLock::new();
    let boot = BOOT.get_or_init(|| boot_time(&fs::read_to_string("/proc/stat").ok()?));
    boot.map(|boot| float(boot) + stat.started)
}

fn boot_time(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|l| l.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn reads_stat_whatever_the_name_of_the_program() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 7 0 12345 \
                    1048576 256 18446744073709551615 1 1 0\n";
        assert_eq!(
            stat(text),
            Some(Stat {
                cpu: 4.0,
                threads: 7,
                started: 123.45,
                virtual_memory: 1_048_576,
            })
        );
        assert_eq!(stat("42 (a) S 1"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn reads_the_other_files() {
        assert_eq!(
            resident("VmPeak:\t  9 kB\nVmRSS:\t   1234 kB\n"),
            Some(1_263_616)
        );
        assert_eq!(resident("Name:\tx\n"), None);
        let limits =
            |soft: &str| format!("Limit  Soft  Hard  Units\nMax open files  {soft}  4096  files\n");
        assert_eq!(max_fds(&limits("1024")), Some(1024));
        assert_eq!(max_fds(&limits("unlimited")), None);
        assert_eq!(
            boot_time("cpu  1 2\nbtime 1700000000\nprocesses 1\n"),
            Some(1_700_000_000)
        );
    }

    #[test]
    fn this_process_has_sane_values() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let value = |name: &str| -> f64 {
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name} is missing in {text}"))
                .parse()
                .unwrap()
        };
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
