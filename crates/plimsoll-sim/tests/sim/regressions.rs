//! What was found once, kept as lists of steps: nothing is found there any more.
//!
//! A list with a line `# planted NAME` finds something still where that bug is planted.

use std::path::Path;

use plimsoll_sim::planted::Bug;
use plimsoll_sim::shrink::replay;
use plimsoll_sim::step::Step;

fn lists() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let mut lists: Vec<(String, String)> = files
        .map(|file| file.expect("the folder can be read").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("it is a text");
            (path.display().to_string(), text)
        })
        .collect();
    lists.sort();
    lists
}

#[test]
fn nothing_is_found_any_more() {
    let lists = lists();
    assert!(lists.len() >= 40, "the lists are gone");
    for (path, text) in &lists {
        let steps = Step::parse_list(text).expect(path);
        assert!(steps.len() > 1, "{path} is empty");
        if let Some((index, finding)) = replay(&steps, None) {
            panic!("{path}, step {index}: {}", finding.0);
        }
    }
}

#[test]
fn a_planted_bug_is_found_in_its_list() {
    for (path, text) in &lists() {
        let named = text
            .lines()
            .find_map(|line| line.strip_prefix("# planted "));
        // Without the feature there is no bug of any name.
        if let Some(bug) = named.and_then(Bug::named) {
            let steps = Step::parse_list(text).expect(path);
            assert!(replay(&steps, Some(bug)).is_some(), "{path}");
        }
    }
}
