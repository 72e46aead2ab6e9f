//! The PostgreSQL that tests start for themselves.

use std::path::Path;

use crate::apt;
use crate::step::{Failure, output, program};

/// Where distributions put the server, which is seldom in the path.
const FOLDERS: &str = "/usr/lib/postgresql";
const VERSION_MIN: u32 = 15;

/// Debian's settings for the cluster that its packages make and start, unless told otherwise.
const SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// The pooler that tests go through, which Debian puts where only root looks.
const POOLER: &str = "/usr/sbin/pgbouncer";

/// Installs the server and the pooler where they are missing, as root.
pub(crate) fn make_sure(root: &Path) -> Result<(), Failure> {
    make_sure_of_server(root)?;
    if pooler_is_there(root) {
        return Ok(());
    }
    if apt::can_install(root) {
        apt::install(root, "pgbouncer")?;
    }
    if pooler_is_there(root) {
        return Ok(());
    }
    Err(Failure::new(
        "PgBouncer is missing: run `apt-get install pgbouncer` as root, or put it in the path",
    ))
}

fn pooler_is_there(root: &Path) -> bool {
    Path::new(POOLER).exists() || output(program("pgbouncer", root).arg("--version")).is_ok()
}

fn make_sure_of_server(root: &Path) -> Result<(), Failure> {
    if is_there(root) {
        return Ok(());
    }
    if apt::can_install(root) {
        if !Path::new(SETTINGS).exists() {
            let written = std::fs::create_dir_all("/etc/postgresql-common")
                .and_then(|()| std::fs::write(SETTINGS, "create_main_cluster = false\n"));
            written.map_err(|error| Failure::new(format!("cannot write `{SETTINGS}`: {error}")))?;
        }
        apt::install(root, "postgresql")?;
    }
    if is_there(root) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "PostgreSQL {VERSION_MIN} or newer is missing: run `apt-get install postgresql` as root, \
         or put its `initdb` and `pg_config` in the path"
    )))
}

fn is_there(root: &Path) -> bool {
    let packaged = std::fs::read_dir(FOLDERS).into_iter().flatten().flatten();
    let versions = packaged.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_packaged = versions.max().is_some_and(|version| {
        let server = format!("{FOLDERS}/{version}/bin/initdb");
        VERSION_MIN <= version && Path::new(&server).exists()
    });
    is_packaged || output(program("initdb", root).arg("--version")).is_ok()
}
