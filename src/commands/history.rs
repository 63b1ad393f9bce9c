//! `history`: lists upgrades that ended, from the storage of a stopped exporter or from a running one.

mod storage;
mod table;
mod text;

use rolling_upgrade_exporter::report::{HistoryFilter, HistoryReport};
use rolling_upgrade_exporter::text::json;

use super::remote::remote;
use super::table::Look;
use super::{Failure, complain, say};
use crate::cli::{History, Output};

/// Most upgrades of a table without `--limit`.
const MOST_OF_A_TABLE: usize = 50;

pub(super) async fn run(flags: &History) -> Result<(), Failure> {
    let filter = filter(flags);
    let report = match (&flags.storage_path, &flags.remote.url) {
        (Some(folder), _) => storage::read(folder.clone(), filter.clone()).await?,
        (None, Some(url)) => running(url, flags, &filter).await?,
        (None, None) => {
            let why = "name a folder with --storage.path, or a running exporter with --url";
            return Err(Failure::Usage(why.to_owned()));
        }
    };
    match flags.output {
        Output::Json => say(&json::to_string_pretty(&report).map_err(anyhow::Error::from)?),
        Output::Table => say(&table::table(
            &report,
            !filter.is_empty(),
            Look::of_stdout(!flags.nodes),
        )),
    }
}

fn filter(flags: &History) -> HistoryFilter {
    let usual = (flags.output == Output::Table).then_some(MOST_OF_A_TABLE);
    HistoryFilter {
        accounts: flags.narrow.accounts.clone(),
        products: flags.narrow.products.clone(),
        clusters: flags.narrow.clusters.clone(),
        outcomes: flags.outcomes.clone(),
        limit: flags.limit.or(usual),
        skip: 0,
    }
}

/// Reads a running exporter, which bounds its answers. Complains when not all fit into one.
async fn running(
    url: &str,
    flags: &History,
    filter: &HistoryFilter,
) -> Result<HistoryReport, Failure> {
    let bounded = HistoryFilter {
        limit: filter.limit.or(Some(HistoryFilter::MOST)),
        ..filter.clone()
    };
    let report = remote(url, &flags.remote)?.read_history(&bounded).await?;
    if filter.limit.is_none() && report.more > 0 {
        complain(&format!(
            "the exporter sends no more than {} upgrades, and {} older ones are missing: narrow the list with \
             --account, --product, --cluster or --outcome",
            HistoryFilter::MOST,
            report.more
        ));
    }
    Ok(report)
}
