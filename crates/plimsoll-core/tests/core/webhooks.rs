//! Webhooks, as rows: who is told what, and how far.

use expect_test::expect;
use plimsoll_core::bounds::WEBHOOKS_MAX;
use plimsoll_core::model::Topic;
use plimsoll_core::outcome::{Denial, Outcome};

use crate::script::{check, last};

/// Made, changed, told, taken away.
#[test]
fn life() {
    check(
        "
            webhook w1 p url https://x topics limit,refused secret s1 told 7
            webhook w1 p url https://x topics limit,refused secret s2 told 9 # keeps its own
            webhook w1 p url https://y topics limit
            webhook w1 q url https://y topics limit
            webhook w1 everything url https://y topics limit
            webhook w2 nowhere
            webhook w2 everything secret s
            told w1 9
            told w1 9
            told w1 8
            told w3 1
            unhook w1
            unhook w1
            told w1 10
            webhook w1 q secret s3 told 20
        ",
        expect![[r#"
            > webhook w1 p url https://x topics limit,refused secret s1 told 7
              webhook w1 of p to `https://x` on ["limit", "refused"] with `s1` enabled told 7 #6
              catalogue#6 WebhookPut by root at 0s: webhook w1 of p to `https://x` on ["limit", "refused"] with `s1` enabled told 7 #6
            > webhook w1 p url https://x topics limit,refused secret s2 told 9
              webhook w1 of p to `https://x` on ["limit", "refused"] with `s1` enabled told 7 #6
            > webhook w1 p url https://y topics limit
              webhook w1 of p to `https://y` on ["limit"] with `s1` enabled told 7 #7
              catalogue#7 WebhookPut by root at 0s: webhook w1 of p to `https://y` on ["limit"] with `s1` enabled told 7 #7
            > webhook w1 q url https://y topics limit
              DENIED immutable scope
            > webhook w1 everything url https://y topics limit
              DENIED immutable scope
            > webhook w2 nowhere
              DENIED unknown_scope nowhere
            > webhook w2 everything secret s
              webhook w2 of everything to `` on [] with `s` enabled told 0 #8
              catalogue#8 WebhookPut by root at 0s: webhook w2 of everything to `` on [] with `s` enabled told 0 #8
            > told w1 9
              webhook w1 of p to `https://y` on ["limit"] with `s1` enabled told 9 #7
              catalogue#9 WebhookDelivered by root at 0s: webhook w1 of p to `https://y` on ["limit"] with `s1` enabled told 9 #7
            > told w1 9
              webhook w1 of p to `https://y` on ["limit"] with `s1` enabled told 9 #7
            > told w1 8
              webhook w1 of p to `https://y` on ["limit"] with `s1` enabled told 9 #7
            > told w3 1
              DENIED not_found
            > unhook w1
              gone
              catalogue#10 WebhookDeleted by root at 0s: no webhook w1
            > unhook w1
              DENIED not_found
            > told w1 10
              DENIED not_found
            > webhook w1 q secret s3 told 20
              webhook w1 of q to `` on [] with `s3` enabled told 20 #11
              catalogue#11 WebhookPut by root at 0s: webhook w1 of q to `` on [] with `s3` enabled told 20 #11
        "#]],
    );
}

/// What happened while it was not to be told is not told later.
#[test]
fn disabled() {
    check(
        "
            webhook w1 p told 7
            webhook w1 p disabled told 9
            webhook w1 p url https://x disabled told 11
            webhook w1 p url https://x told 13
            webhook w1 p url https://x told 15
            told w1 14
        ",
        expect![[r#"
            > webhook w1 p told 7
              webhook w1 of p to `` on [] with `` enabled told 7 #6
              catalogue#6 WebhookPut by root at 0s: webhook w1 of p to `` on [] with `` enabled told 7 #6
            > webhook w1 p disabled told 9
              webhook w1 of p to `` on [] with `` disabled told 7 #7
              catalogue#7 WebhookPut by root at 0s: webhook w1 of p to `` on [] with `` disabled told 7 #7
            > webhook w1 p url https://x disabled told 11
              webhook w1 of p to `https://x` on [] with `` disabled told 7 #8
              catalogue#8 WebhookPut by root at 0s: webhook w1 of p to `https://x` on [] with `` disabled told 7 #8
            > webhook w1 p url https://x told 13
              webhook w1 of p to `https://x` on [] with `` enabled told 13 #9
              catalogue#9 WebhookPut by root at 0s: webhook w1 of p to `https://x` on [] with `` enabled told 13 #9
            > webhook w1 p url https://x told 15
              webhook w1 of p to `https://x` on [] with `` enabled told 13 #9
            > told w1 14
              webhook w1 of p to `https://x` on [] with `` enabled told 14 #9
              catalogue#10 WebhookDelivered by root at 0s: webhook w1 of p to `https://x` on [] with `` enabled told 14 #9
        "#]],
    );
}

#[test]
fn bounded() {
    let put_all = |count: usize| {
        let put = |number: usize| format!("webhook w{number} everything\n");
        (0..count).map(put).collect::<String>()
    };
    assert!(matches!(last(&put_all(WEBHOOKS_MAX)), Outcome::Done(_)));
    let more = last(&put_all(WEBHOOKS_MAX + 1));
    let max = WEBHOOKS_MAX;
    assert_eq!(more, Outcome::Denied(Denial::TooMany { max }));
    let changed = last(&(put_all(WEBHOOKS_MAX) + "webhook w0 everything url x"));
    assert!(matches!(changed, Outcome::Done(_)));
}

#[test]
fn topics() {
    assert_eq!(
        Topic::ALL.map(Topic::name),
        [
            "threshold_crossed",
            "refused",
            "request",
            "expired",
            "limit"
        ]
    );
    assert!(Topic::ALL.is_sorted());
}
