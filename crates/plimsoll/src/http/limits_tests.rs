//! How many connections there may be, and when peers are hurried.

use super::*;

#[test]
fn connections_leave_files_for_other_things() {
    for (files_max, connections) in [
        (0, 8),
        (64, 8),
        (72, 8),
        (160, 96),
        (1_024, 960),
        (4_160, 4_096),
        (u64::MAX, 4_096),
    ] {
        assert_eq!(connections_max_with(files_max), connections, "{files_max}");
    }
    assert!(8 <= connections_max());
}

#[tokio::test]
async fn peers_are_hurried_while_places_are_missing_or_the_end_is_near() {
    let (stop, stops) = watch::channel(false);
    let limits = Limits::new(1, stops);
    assert_eq!(limits.patience().idle, EASY.idle);
    let place = limits.place().await;
    assert_eq!(limits.patience().idle, PRESSED.idle);
    drop(place);
    assert_eq!(limits.patience().idle, EASY.idle);
    stop.send_replace(true);
    assert_eq!(limits.patience().idle, PRESSED.idle);
}
