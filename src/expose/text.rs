//! The exporter's own metrics come as `OpenMetrics` text; this rewrites it to Prometheus text 0.0.4.

/// What ends an `OpenMetrics` text.
pub(crate) const EOF: &str = "# EOF\n";

/// Rewrites what the metrics library writes: no timestamps, no summaries, metadata before samples,
/// HELP before TYPE.
pub(crate) fn from_open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    // HELP waits for TYPE, which decides the name.
    let mut help = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = Some(rest.split_once(' ').unwrap_or((rest, "")));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "unknown"));
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "stateset" => ("", "gauge"),
                "gauge" | "histogram" | "summary" => ("", kind),
                _ => ("", "untyped"),
            };
            if let Some((of, help)) = help.take()
                && of == name
            {
                push(&mut out, &["# HELP ", name, suffix, " ", help]);
            }
            push(&mut out, &["# TYPE ", name, suffix, " ", kind]);
        } else if !line.starts_with('#') && !line.is_empty() {
            push(&mut out, &[without_exemplar(line)]);
        }
    }
    out
}

/// A sample up to its exemplar, which stands behind the value after ` # `. The same signs within a
/// label's quotes are text.
fn without_exemplar(line: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    let end = line.char_indices().find(|(place, c)| {
        match c {
            '"' if !escaped => quoted = !quoted,
            '#' if !quoted => return line.get(..*place).is_some_and(|l| l.ends_with(' ')),
            _ => {}
        }
        escaped = *c == '\\' && !escaped;
        false
    });
    end.and_then(|(place, _)| line.get(..place))
        .map_or(line, str::trim_end)
}

fn push(out: &mut String, parts: &[&str]) {
    out.extend(parts.iter().copied());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::exemplar::CounterWithExemplar;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::{Registry, Unit};
    use proptest::prelude::*;

    use super::super::check::{parse, sample};
    use super::*;

    #[test]
    fn types_names_and_exemplars_are_rewritten() {
        let mut registry = Registry::default();
        let counter = CounterWithExemplar::<Vec<(&str, &str)>>::default();
        counter.inc_by(3, Some(vec![("trace", "a # \" b")]), None);
        registry.register("calls", "Calls", counter);
        registry.register("build", "Build", Info::new(vec![("version", "1 # 2")]));
        let gauge = Gauge::<i64>::default();
        gauge.set(5);
        registry.register_with_unit("age", "Age", Unit::Seconds, gauge);
        let histogram = Histogram::new([0.5]);
        histogram.observe(0.25);
        registry.register("took", "Took", histogram);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains(" # {trace="), "{text}");
        assert_eq!(
            from_open_metrics(&text),
            "\
# HELP calls_total Calls.
# TYPE calls_total counter
calls_total 3
# HELP build_info Build.
# TYPE build_info gauge
build_info{version=\"1 # 2\"} 1
# HELP age_seconds Age.
# TYPE age_seconds gauge
age_seconds 5
# HELP took Took.
# TYPE took histogram
took_sum 0.25
took_count 1
took_bucket{le=\"0.5\"} 1
took_bucket{le=\"+Inf\"} 1
"
        );
    }

    #[test]
    fn unknown_becomes_untyped() {
        assert_eq!(
            from_open_metrics("# TYPE x unknown\n# UNIT x y\nx 1\n# EOF\n"),
            "# TYPE x untyped\nx 1\n"
        );
    }

    proptest! {
        #[test]
        fn samples_survive(labels in prop::collection::btree_map("[\\PC&&[^\\p{Zl}\\p{Zp}]]{0,8}|[\\\\\"#{} \n]{0,8}", 0u32..9, 0..6)) {
            let mut registry = Registry::default();
            let family = Family::<Vec<(&str, String)>, Counter>::default();
            for (label, value) in &labels {
                let counter = family.get_or_create_owned(&vec![("a", label.clone())]);
                counter.inc_by(u64::from(*value));
            }
            registry.register("x", "Help", family);
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            let families = parse(&from_open_metrics(&text));
            prop_assert_eq!(families.len(), usize::from(!labels.is_empty()));
            for (label, value) in &labels {
                prop_assert_eq!(
                    sample(&families, "x_total", &[("a", label)]),
                    Some(f64::from(*value))
                );
            }
        }
    }
}
