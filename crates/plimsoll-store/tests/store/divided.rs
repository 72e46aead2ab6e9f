//! What a node divides is answered in order, and what it remembers is as the database has it.

use plimsoll_core::command::Command;
use plimsoll_core::model::{Credential, Reach};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::rows::{Footprint, Rows};
use plimsoll_store::{PostgresOptions, Store, verify_postgres};

use crate::cluster::{self, name_of};
use crate::support::*;

/// Two nodes, and a store in memory that answers as they must.
struct Beside {
    options: PostgresOptions,
    nodes: [Store; 2],
    memory: Store,
}

impl Beside {
    fn new() -> Self {
        let options = cluster::database();
        let clock = HandClock::default();
        let it = Self {
            nodes: [(); 2].map(|()| cluster::node(&options, clock.clock())),
            memory: Store::memory(clock.clock()),
            options,
        };
        it.step(0, base());
        it
    }

    fn step(&self, node: usize, commands: Vec<Command>) -> Vec<Outcome> {
        let expected = submit(&self.memory, commands.clone());
        let found = submit(&self.nodes[node], commands.clone());
        assert_eq!(found, expected, "node {node}: {commands:?}");
        found
    }

    fn number(&self, sql: &str) -> u64 {
        let told = cluster::shared().ask(&name_of(&self.options), sql);
        told.parse().expect("a number")
    }
}

#[test]
fn two_nodes_in_turn_answer_as_one() {
    let beside = Beside::new();
    let mut dice = Dice(22);
    for step in 0..300 {
        // Mostly the same one for a while.
        let node = usize::from(dice.below(12) == 0 || step / 40 % 2 == 1);
        let at = dice.pick(&["acme", "p", "p-q", "other"]);
        let id = format!("r{}", dice.below(40));
        let root = if at == "other" { "other" } else { "acme" };
        let image = format!("vm/image@{}", dice.pick(&["FRA-A", "HKG-A"]));
        let command = match dice.below(12) {
            0 => put_limit(at, "vm/disk", finite(dice.below(60))),
            1 => put_limit(at, "vm/image", finite(dice.below(60))),
            2 => delete_limit(at, &image),
            3 => put_limit(at, &image, finite(dice.below(20))),
            4 => put_scope(&format!("{at}-{step}"), Some(at)),
            5 => commit(root, &id),
            6 | 7 => release(root, &id),
            8 => resize(root, &id, &[("vm/disk", 1 + dice.below(9))]),
            9 => reserve(&id, at, &[(&image, 1)], None),
            _ => reserve(&id, at, &[("vm/disk", 1 + dice.below(9))], Some(9_000)),
        };
        beside.step(node, vec![command]);
    }
    verify_postgres(&beside.options, |_, _| ()).expect("it holds together");
}

#[test]
fn a_principal_is_what_any_node_has_made_of_it() {
    let beside = Beside::new();
    let who = principal("k1");
    let footprint = Footprint {
        principals: vec![who.clone()],
        ..Footprint::default()
    };
    let is_enabled = |node: usize| {
        let found = beside.nodes[node].read(&footprint, |rows| {
            rows.principal(&who).map(|principal| principal.enabled)
        });
        wait(found).expect("served")
    };
    let token = Credential::Token { hash: [1; 32] };
    for round in 0..3 {
        assert_eq!([is_enabled(0), is_enabled(1)], [None; 2], "round {round}");
        let made = create_principal("k1", Reach::Everything, token.clone());
        beside.step(0, vec![made]);
        assert_eq!([is_enabled(0), is_enabled(1)], [Some(true); 2]);
        beside.step(1, vec![enable_principal("k1", false)]);
        assert_eq!([is_enabled(0), is_enabled(1)], [Some(false); 2]);
        beside.step(0, vec![enable_principal("k1", true)]);
        assert_eq!([is_enabled(0), is_enabled(1)], [Some(true); 2]);
        beside.step(1, vec![delete_principal("k1")]);
    }
}

#[test]
fn a_large_submission_is_divided_by_tenants_and_answered_in_its_order() {
    let beside = Beside::new();
    let tenants: Vec<String> = (0..10).map(|number| format!("t{number}")).collect();
    let made = tenants.iter().map(|id| put_scope(id, None));
    beside.step(0, made.collect());
    let transactions = || beside.number("SELECT count(DISTINCT xmin::text) FROM plimsoll.event");
    for round in 0..2 {
        // Some commands are refused, and later ones are let through again behind a release.
        let limit = finite(90 + 90 * round);
        let limits = tenants.iter().map(|id| put_limit(id, "vm/disk", limit));
        beside.step(0, limits.collect());
        let mut dice = Dice(round);
        let commands: Vec<Command> = (0..3_000)
            .map(|number| {
                let tenant = &dice.pick(&tenants);
                let earlier = format!("r{round}-{}", dice.below(1 + number));
                match dice.below(4) {
                    0 => release(tenant, &earlier),
                    1 => commit(tenant, &earlier),
                    _ => {
                        let id = format!("r{round}-{number}");
                        reserve(&id, tenant, &[("vm/disk", 1)], None)
                    }
                }
            })
            .collect();
        let before = transactions();
        beside.step(usize::from(round == 1), commands);
        // The other node does not know yet where the scopes lie.
        let expected = if round == 0 { 2 } else { 1 };
        assert_eq!(transactions() - before, expected, "round {round}");
    }
    verify_postgres(&beside.options, |_, _| ()).expect("it holds together");
}
