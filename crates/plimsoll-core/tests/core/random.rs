//! Random commands, over a world with everything in it.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// What every random scenario starts from, beside the usual world.
pub(crate) const WORLD: &str = "
    scope team under p
    scope job under team
    resource net/ip default 3 alerts 80,100
    resource vm/disk default unlimited auto 6 factor 300 alerts 1,50,100
    tier gold vm/disk 4 net/ip 2 warn
    tier silver vm/image@FRA-A 2 observe vm/image 1
    scope team under p tier gold
";

/// Steps of the longest scenario.
pub(crate) const STEPS_MAX: usize = 80;

/// Nodes of both tenants, and one that does not exist.
const SCOPES: &[&str] = &["acme", "p", "q", "team", "job", "other", "z", "nowhere"];

/// Mostly of one tenant, so that much happens there.
fn scope() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => select(&SCOPES[..5]), 1 => select(SCOPES)]
}

fn id() -> impl Strategy<Value = String> {
    (0..6).prop_map(|number| format!("r{number}"))
}

fn units() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => (1..5_u32).prop_map(|units| units.to_string()),
        1 => (0..5).prop_map(|less| format!("MAX-{less}")),
    ]
}

fn ceiling() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..9_u32).prop_map(|units| units.to_string()),
        1 => Just("unlimited".to_owned()),
        1 => (0..5).prop_map(|less| format!("MAX-{less}")),
    ]
}

/// Some lines, each with the words that follow its item.
fn lines_of(words: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let items = vec!["vm/image@FRA-A", "vm/image@HKG-A", "vm/disk", "net/ip"];
    subsequence(items, 1..=3).prop_flat_map(move |items| {
        let words = proptest::collection::vec(words.clone(), items.len());
        words.prop_map(move |words| {
            let line = items
                .iter()
                .zip(&words)
                .map(|(item, words)| format!("{item} {words}"));
            line.collect::<Vec<_>>().join(" ")
        })
    })
}

fn lines() -> impl Strategy<Value = String> {
    lines_of(units().boxed())
}

fn grounds() -> impl Strategy<Value = &'static str> {
    prop_oneof![18 => Just(""), 2 => Just(" force incident"), 1 => Just(" mend inventory")]
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just(""), 1 => Just(" warn"), 1 => Just(" observe")]
}

/// From when until when: mostly always, else about now.
fn window() -> impl Strategy<Value = String> {
    let from = || (0..60_u32).prop_map(|at| format!(" from {at}s"));
    let until = || (1..90_u32).prop_map(|at| format!(" until {at}s"));
    let both = (0..60_u32, 1..40_u32);
    let both = both.prop_map(|(from, span)| format!(" from {from}s until {}s", from + span));
    prop_oneof![4 => Just(String::new()), 1 => from(), 1 => until(), 2 => both]
}

fn reserve() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        4 => units(),
        1 => (1..4_u32, 0..9_u32).prop_map(|(least, more)| format!("{} least {least}", least + more)),
    ];
    let terms = select(vec!["hold 10s", "hold 30s", "hold 90s", "commit"]);
    let holder = select(vec!["", " holder a", " holder b"]);
    let taken = (id(), scope(), lines_of(words.boxed()));
    (taken, terms, grounds(), holder).prop_map(|((id, scope, lines), terms, grounds, holder)| {
        format!("reserve {id} {scope} {lines} {terms}{grounds}{holder}")
    })
}

/// The changes of a reservation, some of them with the revision that their caller believes in.
fn change() -> impl Strategy<Value = String> {
    let of = || (id(), scope()).prop_map(|(id, scope)| format!("{id} of {scope}"));
    let settle = (select(vec!["commit", "release"]), of());
    let mend = prop_oneof![9 => Just(""), 1 => Just(" mend inventory")];
    let settle = (settle, mend).prop_map(|((verb, of), mend)| format!("{verb} {of}{mend}"));
    let part = (select(vec!["commit", "release"]), of(), lines());
    let part = part.prop_map(|(verb, of, lines)| format!("{verb} {of} {lines}"));
    let extend = (of(), select(vec!["5s", "30s", "90s"]));
    let extend = extend.prop_map(|(of, ttl)| format!("extend {of} {ttl}"));
    let resize = (of(), lines(), grounds());
    let resize = resize.prop_map(|(of, lines, force)| format!("resize {of} {lines}{force}"));
    let transfer = (of(), scope(), grounds());
    let transfer = transfer.prop_map(|(of, to, force)| format!("transfer {of} to {to}{force}"));
    let expected = prop_oneof![
        9 => Just(String::new()),
        1 => (3..40_u32).prop_map(|revision| format!(" if {revision}")),
    ];
    let verb = prop_oneof![5 => settle, 4 => part, 3 => extend, 5 => resize, 4 => transfer];
    (verb, expected).prop_map(|(verb, expected)| verb + &expected)
}

fn limit() -> impl Strategy<Value = String> {
    let items = [
        "vm/image",
        "vm/image@FRA-A",
        "vm/disk",
        "net/ip",
        "vm/disk@FRA-A",
        "vm/nothing",
    ];
    let at = || (select(SCOPES), select(items.to_vec()));
    let set = (at(), ceiling(), mode(), window());
    let set = set.prop_map(|((scope, item), to, mode, window)| {
        format!("limit {scope} {item} {to}{mode}{window}")
    });
    prop_oneof![
        8 => set,
        1 => (at(), ceiling(), 3..30)
            .prop_map(|((scope, item), to, if_)| format!("limit {scope} {item} {to} if {if_}")),
        3 => (at(), window())
            .prop_map(|((scope, item), window)| format!("unlimit {scope} {item}{window}")),
    ]
}

/// Tiers, and which scope has which.
fn tier() -> impl Strategy<Value = String> {
    let name = || select(vec!["gold", "silver"]);
    let words = (ceiling(), mode()).prop_map(|(to, mode)| to + mode);
    let put = (name(), lines_of(words.boxed()));
    let of = [
        "acme",
        "p under acme",
        "q under acme",
        "team under p",
        "other",
    ];
    let given = prop_oneof![4 => name(), 1 => Just("lead")];
    let given = (select(of.to_vec()), given);
    prop_oneof![
        2 => put.prop_map(|(name, limits)| format!("tier {name} {limits}")),
        1 => (name(), ceiling()).prop_map(|(name, to)| format!("tier {name} vm/image {to}")),
        3 => given.prop_map(|(scope, tier)| format!("scope {scope} tier {tier}")),
    ]
}

/// Wishes, and what becomes of them; and what was refused.
fn request() -> impl Strategy<Value = String> {
    let items = ["vm/image", "vm/image@FRA-A", "vm/disk", "net/ip"];
    let at = || (scope(), select(items.to_vec()));
    let id = || (0..4).prop_map(|number| format!("w{number}"));
    let submit = (id(), at(), ceiling());
    let submit =
        submit.prop_map(|(id, (scope, item), to)| format!("submit {id} {scope} {item} {to}"));
    let granted =
        prop_oneof![2 => Just(String::new()), 1 => ceiling().prop_map(|to| format!(" {to}"))];
    let until =
        prop_oneof![2 => Just(String::new()), 1 => (1..90).prop_map(|at| format!(" until {at}s"))];
    let approve = (id(), granted, until);
    let approve = approve.prop_map(|(id, to, until)| format!("approve {id}{to}{until}"));
    let close = (select(vec!["deny", "cancel"]), id());
    let refused = (at(), at(), 1..9_u32);
    let refused = refused.prop_map(|((one, of), (other, its), count)| {
        format!("refused acme {one} {of} {count} {other} {its} 2 {one} {of} 1")
    });
    prop_oneof![
        6 => submit,
        4 => approve,
        2 => close.prop_map(|(verb, id)| format!("{verb} {id}")),
        1 => refused,
    ]
}

fn catalogue() -> impl Strategy<Value = String> {
    let resources = vec!["vm/image per-location", "vm/image", "vm/disk", "net/ip"];
    let principals = vec![
        "create k1 admin everything",
        "create k1 viewer p",
        "create k2 admin q",
        "disable k1",
        "enable k1",
        "delete k1",
        "delete root",
    ];
    prop_oneof![
        (
            select(resources),
            ceiling(),
            select(vec!["", " auto 6 factor 300 cool 20s", " fixed"])
        )
            .prop_map(|(it, to, rule)| format!(
                "resource {it} default {to}{rule} alerts 50,80,100"
            )),
        (0..4, select(SCOPES)).prop_map(|(made, under)| format!("scope n{made} under {under}")),
        (select(SCOPES), select(vec!["x", "y"]))
            .prop_map(|(id, kind)| format!("scope {id} kind {kind}")),
        select(principals).prop_map(str::to_owned),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let expire = select(SCOPES).prop_map(|scope| format!("expire {scope}"));
    let forget = (select(SCOPES), 0..200_u32);
    let forget = forget.prop_map(|(scope, before)| format!("forget {scope} before {before}s"));
    let line = prop_oneof![
        10 => reserve(),
        14 => change(),
        1 => expire,
        1 => forget,
        6 => limit(),
        2 => tier(),
        5 => request(),
        2 => catalogue(),
    ];
    let who = prop_oneof![9 => Just(String::new()), 1 => select(SCOPES).prop_map(|top| format!("as eve@{top} "))];
    (who, line).prop_map(|(who, line)| who + &line)
}

/// Lines, each with the milliseconds that pass before it. Clocks also run backwards.
pub(crate) fn scenario() -> impl Strategy<Value = Vec<(i64, String)>> {
    let pass = prop_oneof![4 => Just(0), 4 => 0..20_000_i64, 1 => -20_000..0_i64];
    proptest::collection::vec((pass, line()), 1..=STEPS_MAX)
}
