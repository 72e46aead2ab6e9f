//! `plimsoll copy`: a whole ledger from one store to another.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use plimsoll_core::model::Credential;
use plimsoll_core::names::PrincipalId;
use plimsoll_store::copy::{Copied, Copier, Known, Ledger, Step};

use super::bar::Bar;
use super::print;
use crate::config::Config;
use crate::demo::CREDENTIALS_FILE;
use crate::secrets::{AGREED_KEY, MasterKey, Owner};

/// What to copy, and where to.
#[derive(Args, Debug)]
pub(super) struct CopyArguments {
    /// Where the ledger is: a data directory, or `postgres://user:password@host:port/database`.
    #[arg(long, value_name = "DIR or URL")]
    from: String,
    /// Where it is to be: a directory or a database without a ledger.
    #[arg(long, value_name = "DIR or URL")]
    to: String,
    /// Settings that few need: see docs/operators/configuration.md.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Copies, and says what is the same.
pub(super) fn run(arguments: &CopyArguments) -> Result<(), Box<dyn Error>> {
    let config = Config::load(arguments.config.as_deref())?;
    let [from, to] = [&arguments.from, &arguments.to].map(|it| ledger(&config, it));
    let (from, to) = (from?, to?);
    let copier = Copier::open(&from, &to)?;
    let key = Key::find(&config, &from, &to, copier.known())?;
    let mut copying = Some(Bar::with_lines("events copied"));
    let mut proving = Bar::with_lines("proved");
    let copied = copier.run(key.agreed, |step| match step {
        Step::Copied(done, in_all) => {
            if let Some(bar) = &mut copying {
                bar.show(done, in_all);
            }
        }
        Step::Proved(done, in_all) => {
            if let Some(bar) = copying.take() {
                bar.end();
            }
            proving.show(done, in_all);
        }
    });
    proving.end();
    let lines = [told(&copied?), key.told];
    Ok(print(&lines.join("\n"))?)
}

fn ledger(config: &Config, named: &str) -> Result<Ledger, Box<dyn Error>> {
    if !named.contains("://") {
        return Ok(Ledger::Directory(PathBuf::from(named)));
    }
    let database = config.database(Some(named))?;
    let database = database.ok_or("name a directory, or `postgres://…`")?;
    Ok(Ledger::Database(database))
}

fn told(copied: &Copied) -> String {
    let Copied {
        events,
        events_before,
        logs,
        webhooks,
    } = copied;
    let mut lines = vec![format!(
        "events: {events} in {logs} logs, the same as in the source: each log ends with the same hash"
    )];
    if *events_before != 0 {
        lines.push(format!("of them there already: {events_before}"));
    }
    if *webhooks != 0 {
        lines.push(format!(
            "webhooks: {webhooks}, one event more for each: how far it was told, as counted here"
        ));
    }
    lines.join("\n")
}

/// What becomes of the master key, which no ledger holds.
struct Key {
    /// What nodes must have in common.
    agreed: BTreeMap<String, Vec<u8>>,
    /// What the user is to know.
    told: String,
}

impl Key {
    /// Looks for the key beside either ledger, and makes sure that it is the one that sealed the
    /// secrets.
    fn find(
        config: &Config,
        from: &Ledger,
        to: &Ledger,
        known: &Known,
    ) -> Result<Self, Box<dyn Error>> {
        let beside = |ledger: &Ledger| match ledger {
            Ledger::Directory(directory) => Some(directory.join("master.key")),
            Ledger::Database(_) => None,
        };
        let named = config.master_key_file.clone();
        let files = named.into_iter().chain(beside(to)).chain(beside(from));
        let mut agreed = BTreeMap::new();
        let mut fits = None;
        for file in files.filter(|file| file.exists()) {
            let key = MasterKey::load_or_create(&file, true)?;
            expect_fits(&key, &file, known)?;
            if !known.agreed.contains_key(AGREED_KEY) {
                agreed.insert(AGREED_KEY.to_owned(), key.seal_agreed()?);
            }
            if let Ledger::Directory(directory) = from {
                agreed.extend(demo_of(&key, directory)?);
            }
            fits.get_or_insert(file);
        }
        let place = beside(to).map_or("every node's data directory".to_owned(), |it| {
            format!("`{}`", it.display())
        });
        let told = match fits {
            Some(file) if beside(to).as_ref() == Some(&file) => {
                format!("master key: `{}` fits", file.display())
            }
            Some(file) => format!(
                "master key: not copied; `{}` fits: copy it to {place} before you serve",
                file.display()
            ),
            None => format!(
                "master key: not copied, and not found here: bring it to {place} before you serve"
            ),
        };
        Ok(Self { agreed, told })
    }
}

/// Makes sure that a key opens what the ledger has of sealed secrets.
fn expect_fits(key: &MasterKey, file: &Path, known: &Known) -> Result<(), Box<dyn Error>> {
    if let Some(sealed) = known.agreed.get(AGREED_KEY) {
        key.expect_agreed(file, sealed)?;
    }
    if let Some(row) = &known.access_key
        && let Credential::AccessKey { sealed_secret } = &row.credential
    {
        key.expect_opens(file, &row.id, sealed_secret)?;
    }
    if let Some(row) = known.webhooks.first() {
        key.expect_opens(file, Owner::Webhook(row.id.clone()), &row.sealed_secret)?;
    }
    Ok(())
}

/// The demo's credentials, for the nodes that are to take part in it, under their name.
fn demo_of(key: &MasterKey, directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, Box<dyn Error>> {
    let file = directory.join(CREDENTIALS_FILE);
    let mut agreed = BTreeMap::new();
    if file.exists() {
        let credentials = std::fs::read_to_string(&file)?;
        let sealed = key.seal(&PrincipalId::parse(CREDENTIALS_FILE)?, &credentials)?;
        agreed.insert(CREDENTIALS_FILE.to_owned(), sealed);
    }
    Ok(agreed)
}
