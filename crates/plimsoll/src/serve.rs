//! `plimsoll serve`: from a data directory to a listening server.

use std::error::Error;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::model::{Credential, Principal, Reach, Role};
use plimsoll_store::{Clock, Page, PostgresOptions, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, watch};

use crate::auth::Verifier;
use crate::bootstrap::{create, submit};
use crate::cli::{ServeArguments, print};
use crate::config::{Config, log_filter};
use crate::refusals::Refusals;
use crate::secrets::{AGREED_KEY, Made, MasterKey, Owner};
use crate::service::Service;
use crate::service::live::Streams;
use crate::throttle::Throttle;
use crate::webhooks::Webhooks;
use crate::{clock, demo, http, jobs};

/// How long what runs beside requests may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The stack of a thread that answers. A request's future is a deep one on a database: a build
/// without optimisation needs over 2 MiB for it. What is not used takes no memory.
const STACK_BYTES: usize = 8 << 20;

/// Serves until it is told to stop.
pub(crate) fn run(arguments: &ServeArguments, config: Config) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(log_filter())
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // What cannot be written would be said on standard error, and whoever says it there panics
        // where that is what cannot be written: on a full disk, the thread that decides.
        .log_internal_errors(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(arguments, config));
    // A name that is being looked up would otherwise be waited for.
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    served
}

async fn serve(arguments: &ServeArguments, config: Config) -> Result<(), Box<dyn Error>> {
    let store = Arc::new(open(arguments, &config).await?);
    let first = first_start(&store).await?;
    let key_file = config.master_key_file.clone();
    let key_file = key_file.unwrap_or_else(|| arguments.data.join("master.key"));
    let master_key = Arc::new(master_key(&store, &key_file, first.sealed).await?);
    let webhooks = Webhooks::new(&config.webhooks(), Arc::clone(&master_key))?;
    if first.is_empty {
        fill(&store, &master_key, arguments).await?;
    } else if arguments.demo {
        demo::join(&store, &master_key, &arguments.data).await?;
    }
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("`{}` cannot be listened on: {error}", arguments.listen))?;
    let address = listener.local_addr()?;
    let throttle = Throttle::new(config.requests_per_second_per_principal);
    let stops = stop_signals()?;
    let refusals = Arc::new(Refusals::default());
    let service = Arc::new(Service {
        verifier: Arc::new(Verifier::new(Arc::clone(&store), master_key, throttle)),
        store: Arc::clone(&store),
        zenlayer: config.zenlayer(),
        modelarts: config.modelarts(),
        refusals: Arc::clone(&refusals),
        webhooks: Arc::clone(&webhooks),
        inventory_bytes_max: config.inventory_bytes_max(),
        reconciles: Mutex::default(),
        retention_ms: config.ended_reservations_kept_ms(),
        streams: Streams::new(stops.clone()),
    });
    let retention_ms = config.ended_reservations_kept_ms();
    jobs::start(jobs::sweep(Arc::downgrade(&store), retention_ms));
    let counted = Arc::clone(&refusals);
    jobs::start(jobs::count_refusals(Arc::downgrade(&store), counted));
    jobs::start(Arc::clone(&webhooks).run(Arc::downgrade(&store), stops.clone()));
    greet(address, &arguments.data);
    http::serve(listener, service, stops).await;
    webhooks.has_stopped().await;
    refusals.add_up(&store).await;
    Ok(())
}

/// The ledger in a database, where one is named, or in the data directory.
async fn open(arguments: &ServeArguments, config: &Config) -> Result<Store, Box<dyn Error>> {
    let clock = Clock::new(clock::steady);
    let database = config.database_with_replica(
        arguments.store.as_deref(),
        arguments.store_replica.as_deref(),
        arguments.store_replica_max_age,
    )?;
    let Some(database) = database else {
        return Ok(Store::sqlite(&arguments.data, clock)?);
    };
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&arguments.data);
    made.map_err(|error| format!("`{}` cannot be made: {error}", arguments.data.display()))?;
    let database = PostgresOptions {
        acknowledged_file: Some(arguments.data.join("acknowledged")),
        ..database
    };
    Ok(Store::postgres(&database, clock).await?)
}

/// The key that opens every secret of the ledger, the same on every node.
async fn master_key(
    store: &Store,
    key_file: &Path,
    sealed: Option<(Owner, Vec<u8>)>,
) -> Result<MasterKey, Box<dyn Error>> {
    let is_missed = sealed.is_some() || store.agreed(AGREED_KEY).await?.is_some();
    let master_key = MasterKey::load_or_create(key_file, is_missed)?;
    if let Some((owner, sealed_secret)) = sealed {
        master_key.expect_opens(key_file, owner, &sealed_secret)?;
    }
    let sealed = master_key.seal_agreed()?;
    let sealed = store.agree(AGREED_KEY, sealed).await?;
    master_key.expect_agreed(key_file, &sealed)?;
    Ok(master_key)
}

/// `plimsoll migrate`: lays a database out, or brings it up to what this build needs.
pub(crate) fn migrate(named: Option<&str>, config: &Config) -> Result<(), Box<dyn Error>> {
    let (database, runtime) = database_to_migrate(named, config)?;
    let (before, after) = runtime.block_on(Store::migrate(&database))?;
    if before == after {
        print(&format!("the database has layout {after} already"))?;
    } else {
        print(&format!(
            "the database had layout {before} and now has {after}"
        ))?;
    }
    Ok(())
}

/// `plimsoll migrate --finish`: lets nodes write rows that older builds cannot read.
pub(crate) fn finish_migration(named: Option<&str>, config: &Config) -> Result<(), Box<dyn Error>> {
    let (database, runtime) = database_to_migrate(named, config)?;
    let (before, after) = runtime.block_on(Store::finish_migration(&database))?;
    if before == after {
        print(&format!("nodes write rows of version {after} already"))?;
    } else {
        print(&format!(
            "nodes wrote rows of version {before} and may now write {after}"
        ))?;
    }
    Ok(())
}

fn database_to_migrate(
    named: Option<&str>,
    config: &Config,
) -> Result<(PostgresOptions, tokio::runtime::Runtime), Box<dyn Error>> {
    let database = config.database(named)?;
    let database = database.ok_or("name the database: `--store postgres://…`")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok((database, runtime))
}

/// Becomes true with the first signal to end; a second one ends the process where it stands.
fn stop_signals() -> std::io::Result<watch::Receiver<bool>> {
    let (stop, stops) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    jobs::start(async move {
        for is_second in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if is_second {
                // What has been acknowledged is durable: nothing is lost.
                tracing::warn!("ended at once: requests in flight get no answer");
                std::process::exit(1);
            }
            tracing::info!("stopping: requests in flight may end; a second signal ends at once");
            stop.send_replace(true);
        }
    });
    Ok(stops)
}

/// What the ledger holds before this start adds anything.
struct FirstStart {
    is_empty: bool,
    /// A secret that the master key must open, where it holds any.
    sealed: Option<(Owner, Vec<u8>)>,
}

async fn first_start(store: &Store) -> Result<FirstStart, Box<dyn Error>> {
    let webhooks = store.webhooks().await?.into_iter().next();
    let mut found = FirstStart {
        is_empty: true,
        sealed: webhooks.map(|row| (Owner::Webhook(row.id), row.sealed_secret)),
    };
    let mut page = Page {
        after: None,
        size: 1_000,
    };
    loop {
        let principals = store.list_principals(&page).await?;
        let Some(last) = principals.last() else {
            return Ok(found);
        };
        found.is_empty = false;
        found.sealed = found
            .sealed
            .or_else(|| principals.iter().find_map(sealed_secret));
        page.after = Some(last.id.clone());
    }
}

fn sealed_secret(principal: &Principal) -> Option<(Owner, Vec<u8>)> {
    match &principal.credential {
        Credential::AccessKey { sealed_secret } => {
            Some((Owner::from(&principal.id), sealed_secret.clone()))
        }
        Credential::Token { .. } => None,
    }
}

/// Makes the first rows of an empty ledger.
async fn fill(
    store: &Store,
    master_key: &MasterKey,
    arguments: &ServeArguments,
) -> Result<(), Box<dyn Error>> {
    if arguments.demo {
        return Ok(demo::seed(store, master_key, &arguments.data).await?);
    }
    let admin = Made::token(None)?;
    // Said before it is durable: a token that a crash makes void is better than one that nobody
    // ever saw.
    print(&format!(
        "admin token: {}\nkeep it: it is shown this once, and it may do everything",
        *admin.secret
    ))?;
    let action = create(
        &admin,
        Role::Admin,
        Reach::Everything,
        "made by the first start",
    )?;
    Ok(submit(store, vec![action]).await?)
}

/// Says where the server is and how to call it.
fn greet(address: SocketAddr, data: &Path) {
    let help = help(address, data).map_or_else(String::new, |help| help + "\n");
    if let Err(error) = print(&format!("{help}listening on http://{address}")) {
        tracing::info!(%error, %address, "listening, and nobody reads standard output");
    }
}

/// How to call the demo, ready to be copied; `None` where the data directory holds none.
fn help(address: SocketAddr, data: &Path) -> Option<String> {
    let file = data.join(demo::CREDENTIALS_FILE);
    let file = file.exists().then(|| file.display().to_string())?;
    let template = include_str!("demo_help.txt");
    Some(
        template
            .replace("{file}", &file)
            .replace("{address}", &address.to_string()),
    )
}
