//! What is no WebSocket frame, byte by byte, said to a live socket.

use serde_json::json;
use sheetbend::server::Settings;
use sheetbend::sync::digest::Cursor;
use tokio::io::AsyncWriteExt as _;

use crate::support::served::Served;
use crate::support::socket::Socket;

/// A mask of zeros: what follows is as it is.
const MASK: [u8; 4] = [0; 4];

#[tokio::test]
async fn what_is_no_frame_ends_its_socket_with_a_reason_and_no_other() {
    let served = Served::on_sqlite(Settings::default()).await;
    let mut other = served.join().await;
    let masked = |head: &[u8], rest: &[u8]| [head, &MASK, rest].concat();
    let cases = [
        ("a frame without a mask", vec![0x81, 2, b'h', b'i'], "bad_message"),
        ("a reserved bit", masked(&[0xC1, 0x80], b""), "bad_message"),
        ("all reserved bits", masked(&[0xF1, 0x80], b""), "bad_message"),
        ("a reserved kind of data", masked(&[0x83, 0x80], b""), "bad_message"),
        ("a reserved kind of control", masked(&[0x8B, 0x80], b""), "bad_message"),
        ("text that is not UTF-8", masked(&[0x81, 0x82], &[0xC3, 0x28]), "bad_message"),
        ("text with half a character at its end", masked(&[0x81, 0x81], &[0xC3]), "bad_message"),
        ("a ping in parts", masked(&[0x09, 0x80], b""), "bad_message"),
        ("a ping that is too long", masked(&[0x89, 0xFE, 0, 126], &[b'x'; 126]), "bad_message"),
        ("the rest of nothing", masked(&[0x80, 0x80], b""), "bad_message"),
        ("a message inside another", [masked(&[0x01, 0x80], b""), masked(&[0x81, 0x80], b"")].concat(), "bad_message"),
        ("binary data", masked(&[0x82, 0x80], b""), "bad_message"),
        ("nothing at all", masked(&[0x81, 0x80], b""), "bad_message"),
        ("a frame of a gigabyte", masked(&[0x81, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0], b"x"), "too_large"),
        ("a frame of all there is", masked(&[&[0x81, 0xFF][..], &[0x7F; 8]].concat(), b"x"), "too_large"),
    ];
    for (number, (name, bytes, code)) in cases.into_iter().enumerate() {
        let mut hostile = served.join().await.into_inner();
        hostile.get_mut().write_all(&bytes).await.expect("is sent");
        let (bye, _) = Socket::of(hostile).hear_bye().await;
        assert_eq!(bye["code"], json!(code), "{name}: {bye}");
        assert!(bye["message"].as_str().is_some_and(|message| message.ends_with('.')), "{name}: {bye}");
        // Nobody else notices.
        other.offer([number as u64 + 1]).await;
        other.hear_up_to(number as u64 + 1).await;
    }
    assert_eq!(served.connect().await.sync(1, Cursor::default()).await["rewound"], false);
}
