//! The file of tips: what is read is what was written, and nothing else is read.

use std::collections::BTreeMap;

use plimsoll_store::{LogTip, Tips};

use super::{parse, text};

fn tips(logs: &[(&str, u64, u8)]) -> Tips {
    let logs = logs.iter().map(|&(name, revision, byte)| {
        let chain = [byte; 32];
        (name.to_owned(), LogTip { revision, chain })
    });
    Tips(logs.collect::<BTreeMap<_, _>>())
}

#[test]
fn what_is_read_is_what_was_written() {
    for tips in [
        tips(&[("", 0, 0)]),
        tips(&[("", 17, 1), ("acme", 3, 0xab), ("other", u64::MAX, 0xff)]),
    ] {
        assert_eq!(parse(&text(&tips)), Some(tips));
    }
}

#[test]
fn a_file_that_was_cut_off_or_changed_is_not_read() {
    let whole = text(&tips(&[("", 17, 1), ("acme", 3, 0xab)]));
    for end in 0..whole.len() {
        assert_eq!(parse(&whole[..end]), None, "{end}");
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone().into_bytes();
        changed[place] ^= 1;
        let changed = String::from_utf8(changed).expect("it is ASCII");
        assert_eq!(parse(&changed), None, "{place}");
    }
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let [catalogue, acme, last] = lines[..] else {
        panic!("{whole}");
    };
    for changed in [
        [acme, catalogue, last].concat(),
        [catalogue, catalogue, acme, last].concat(),
        whole.replace(" acme", " acme more"),
        whole.replace("17 ", "+17 "),
        whole.replace('\n', "\r\n"),
    ] {
        assert_eq!(parse(&changed), None, "{changed}");
    }
    let fewer: Vec<&str> = whole.lines().filter(|it| !it.contains("acme")).collect();
    assert_eq!(parse(&(fewer.join("\n") + "\n")), None);
}
