//! What a configuration may say.

use super::*;

fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path)).map_err(|error| {
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().contains("plimsoll.toml"));
        source
    })
}

#[test]
fn every_setting_has_a_default_and_a_name() {
    let defaults = load("").unwrap();
    assert_eq!(
        defaults.zenlayer().unknown_zone,
        zenlayer::UnknownZone::RegionNotFound
    );
    assert_eq!(defaults.modelarts().numbers, modelarts::Numbers::Integer);
    assert_eq!(defaults.requests_per_second_per_principal, 0);
    assert_eq!(defaults.ended_reservations_kept_ms(), 24 * 60 * 60 * 1_000);
    let webhooks = defaults.webhooks();
    assert!(!webhooks.policy.allow_plain_http);
    assert!(!webhooks.policy.allow_private_targets);
    assert_eq!(webhooks.authorities_file, None);
    let set = load(
        "requests_per_second_per_principal = 7\n\
         master_key_file = '/etc/key'\n\
         ended_reservations_kept_hours = 1\n\
         [zenlayer]\nunknown_zone = 'omit'\n\
         [modelarts]\nnumbers = 'string'\n\
         [webhooks]\nallow_plain_http = true\nallow_private_targets = true\n\
         authorities_file = '/etc/ca.pem'\n",
    )
    .unwrap();
    assert_eq!(set.requests_per_second_per_principal, 7);
    assert_eq!(set.ended_reservations_kept_ms(), 60 * 60 * 1_000);
    assert_eq!(set.master_key_file.as_deref(), Some(Path::new("/etc/key")));
    assert_eq!(set.zenlayer().unknown_zone, zenlayer::UnknownZone::Omit);
    assert_eq!(set.modelarts().numbers, modelarts::Numbers::String);
    let webhooks = set.webhooks();
    assert!(webhooks.policy.allow_plain_http);
    assert!(webhooks.policy.allow_private_targets);
    assert_eq!(
        webhooks.authorities_file.as_deref(),
        Some(Path::new("/etc/ca.pem"))
    );
}

#[test]
fn a_replica_is_named_whole_or_not_at_all() {
    let (store, replica) = ("postgres://a/db", "postgres://b/db");
    let whole = load(&format!(
        "store = '{store}'\nstore_replica = '{replica}'\nstore_replica_max_age_seconds = 9\n"
    ))
    .unwrap();
    let named = |config: &Config, store, replica, seconds| {
        let options = config.database_with_replica(store, replica, seconds);
        options
            .map(|options| {
                let replica = options?.replica?;
                Some((replica.url, replica.age_max.as_secs()))
            })
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        named(&whole, None, None, None),
        Ok(Some((replica.to_owned(), 9)))
    );
    let none = load("").unwrap();
    assert_eq!(named(&none, Some(store), None, None), Ok(None));
    assert_eq!(
        named(&none, Some(store), Some(replica), Some(2)),
        Ok(Some((replica.to_owned(), 2)))
    );
    for (store, replica, seconds) in [
        (Some(store), Some(replica), None),
        (Some(store), None, Some(2)),
        (Some(store), Some(replica), Some(0)),
        (Some(store), Some("b/db"), Some(2)),
        (None, Some(replica), Some(2)),
    ] {
        let told = named(&none, store, replica, seconds).unwrap_err();
        assert!(told.contains("--store-replica-max-age"), "{told}");
    }
}

#[test]
fn a_setting_that_is_unknown_or_wrong_is_refused() {
    for (text, told) in [
        ("unknow = 1", "unknow"),
        ("[zenlayer]\nunknown_zone = 'ignore'", "unknown_zone"),
        ("[modelarts]\nnumber = 'string'", "number"),
        (
            "requests_per_second_per_principal = -1",
            "requests_per_second_per_principal",
        ),
        ("[webhooks]\nallow_http = true", "allow_http"),
        ("[zenlayer", "zenlayer"),
    ] {
        let error = load(text).unwrap_err();
        assert!(error.contains(told), "{text}: {error}");
    }
    assert!(Config::load(Some(Path::new("/nowhere/plimsoll.toml"))).is_err());
}
