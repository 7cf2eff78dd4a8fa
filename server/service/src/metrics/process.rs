//! The process itself, under the names that all clients of Prometheus use.

use std::fmt;

use procfs::process::{LimitValue, Process as Proc};
use procfs::{ProcResult, boot_time_secs, page_size, ticks_per_second};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads `/proc/self` whenever somebody asks.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // A process that may not read about itself has no such metrics.
        let Ok((processor_seconds, gauges)) = read() else { return Ok(()) };
        let counter = ConstCounter::new(processor_seconds);
        let help = "User and system processor time, in seconds";
        counter.encode(encoder.encode_descriptor(
            "process_cpu_seconds",
            help,
            None,
            counter.metric_type(),
        )?)?;
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// A gauge: its name, its meaning, its value.
type Reading = (&'static str, &'static str, f64);

/// The processor time in seconds, and everything else.
fn read() -> ProcResult<(f64, [Reading; 6])> {
    let process = Proc::myself()?;
    let stat = process.stat()?;
    let seconds = |ticks: u64| ticks as f64 / ticks_per_second() as f64;
    let max_descriptors = match process.limits()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => limit as f64,
        LimitValue::Unlimited => f64::INFINITY,
    };
    let gauges = [
        ("process_resident_memory_bytes", "Resident memory, in bytes", (stat.rss * page_size()) as f64),
        ("process_virtual_memory_bytes", "Virtual memory, in bytes", stat.vsize as f64),
        ("process_open_fds", "Open file descriptors", process.fd_count()? as f64),
        ("process_max_fds", "The limit of open file descriptors", max_descriptors),
        ("process_threads", "Threads of the operating system", stat.num_threads as f64),
        (
            "process_start_time_seconds",
            "When the process started, in seconds since the epoch",
            boot_time_secs()? as f64 + seconds(stat.starttime),
        ),
    ];
    Ok((seconds(stat.utime + stat.stime), gauges))
}
