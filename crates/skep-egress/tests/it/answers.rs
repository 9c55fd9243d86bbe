//! Answers are read within bounds of time and size.

use skep_egress::{EgressError, Reach, Request, Stage, Target};
use tokio::time::Instant;

use crate::network::{Script, ok, site};

/// What went wrong, and after how many seconds.
async fn outcome(script: Script) -> (EgressError, u64) {
    let begun = Instant::now();
    let error = site([script])
        .get("http://site.example/")
        .await
        .unwrap_err();
    (error, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn n05_a_server_that_keeps_us_waiting_is_left() {
    for (script, stage, seconds) in [
        (Script::Silence, Stage::FirstByte, 15),
        (
            Script::Hold("HTTP/1.1 200 OK\r\nx: ".into()),
            Stage::FirstByte,
            15,
        ),
        (
            Script::Dribble("HTTP/1.1 200 OK\r\nx: ".into()),
            Stage::FirstByte,
            15,
        ),
        (
            Script::Hold("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx".into()),
            Stage::Idle,
            10,
        ),
        (
            Script::Dribble("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nx".into()),
            Stage::Whole,
            60,
        ),
    ] {
        let (error, after) = outcome(script).await;
        assert!(
            matches!(error, EgressError::Late { stage: at, .. } if at == stage),
            "{stage:?}: {error}"
        );
        assert_eq!(after, seconds, "{stage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn n05_an_answer_that_never_ends_is_cut_off_at_its_limit() {
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    for head in [endless, "HTTP/1.1 200 OK\r\n\r\n"] {
        let (error, _) = outcome(Script::Flood(head.into())).await;
        assert!(
            matches!(error, EgressError::TooLarge { limit } if limit == 1 << 20),
            "{error}"
        );
    }
    // A head without an end, a chunk without one, and more headers than anybody needs.
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200));
    for head in [
        "HTTP/1.1 200 OK\r\nx: ",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
        &many,
    ] {
        let (error, after) = outcome(Script::Flood(head.into())).await;
        assert!(matches!(error, EgressError::Answer(_)), "{error:?}");
        assert_eq!(after, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_itself_still_fits() {
    let network = site([ok("12345"), ok("123456")]);
    let target = Target::parse("http://site.example//a?b").unwrap();
    let request = Request::get(target).at_most(5);
    let egress = network.egress(Reach::Public);
    assert_eq!(egress.send(&request).await.unwrap().body(), "12345");
    let error = egress.send(&request).await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { limit: 5 }));
    assert!(
        network.asked()[0].starts_with("GET //a?b HTTP/1.1\r\n"),
        "{:?}",
        network.asked()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_unpacked_and_what_is_no_http_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "just text",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        "HTTP/1.1 302 Found\r\nlocation: /\u{e4}\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (error, _) = outcome(Script::Say(answer.into())).await;
        let refused = matches!(error, EgressError::Answer(_) | EgressError::Redirect(_));
        assert!(refused, "{answer:?}: {error:?}");
    }
    let network = site([ok("")]);
    network.get("http://site.example/").await.unwrap();
    assert!(network.asked()[0].contains("accept-encoding: identity\r\n"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_no_has_answered() {
    for status in [204, 304, 404, 410, 429, 500] {
        let say = format!("HTTP/1.1 {status} X\r\netag: \"a\"\r\ncontent-length: 0\r\n\r\n");
        let network = site([Script::Say(say)]);
        let answer = network.get("http://site.example/").await.unwrap();
        assert_eq!(
            (answer.status(), answer.header("ETag")),
            (status, Some("\"a\""))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_may_be_under_way_are_told_so() {
    let network = site(vec![Script::Silence; 40]);
    let egress = network.egress(Reach::Public);
    let request = Request::get(Target::parse("http://site.example/").unwrap());
    let mut waiting: Vec<_> = (0..32).map(|_| Box::pin(egress.send(&request))).collect();
    for call in &mut waiting {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert!(matches!(
        egress.send(&request).await.unwrap_err(),
        EgressError::Busy
    ));
    drop(waiting);
    let error = egress.send(&request).await.unwrap_err();
    assert!(matches!(error, EgressError::Late { .. }), "{error}");
}
