//! What no well-behaved client sends.

use skep_domain::Role;
use skep_grpc::protocol::auth_service_client::AuthServiceClient;
use skep_grpc::protocol::{CreateTokenRequest, ValidateTokenRequest};
use skep_grpc::{Destination, Listener, Server, ask};
use skep_test_support::Scratch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tonic::Code;

use crate::house::{House, Oddity};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_over_the_limit_is_refused_and_the_next_one_answered() {
    let house = House::start().await;
    let pass = house.pass(Role::Readonly).await;
    let mut client = house.client();
    for bytes in [65 << 10, 8 << 20] {
        let token = "x".repeat(bytes);
        let request = ValidateTokenRequest { token, proof: None };
        let refused = client.validate_token(request).await.unwrap_err();
        let codes = [
            Code::OutOfRange,
            Code::Internal,
            Code::Unknown,
            Code::Unavailable,
        ];
        assert!(codes.contains(&refused.code()), "{refused:?}");
        assert!(house.validate(&pass.token).await.is_ok());
    }
    let label = "x".repeat(65 << 10);
    let request = CreateTokenRequest {
        label,
        ..CreateTokenRequest::default()
    };
    assert_eq!(
        client.create_token(request).await.unwrap_err().code(),
        Code::OutOfRange
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_question_end_their_connection_and_nothing_else() {
    let house = House::start().await;
    let pass = house.pass(Role::Readonly).await;
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let garbage: Vec<u8> = (0..4_096u32).map(|n| (n * 31 % 251) as u8).collect();
    let cases = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        garbage.clone(),
        [preface, &garbage].concat(),
        // Headers that never end.
        [
            preface,
            &[0, 0, 0, 4, 0, 0, 0, 0, 0],
            &[0, 64, 0, 1, 0, 0, 0, 0, 1],
            &[0x41; 16_384],
        ]
        .concat(),
    ];
    for case in cases {
        let mut stream = UnixStream::connect(&house.socket).await.unwrap();
        // It may be closed while we write.
        let _ = stream.write_all(&case).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert!(house.validate(&pass.token).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_services_are_not_there() {
    let house = House::start().await;
    let channel = ask(&Destination::Unix(house.socket.clone())).unwrap();
    for path in [
        "/skep.auth.v1.AuthService/Nothing",
        "/skep.auth.v1.Other/ValidateToken",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/",
    ] {
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let codec =
            tonic_prost::ProstCodec::<ValidateTokenRequest, ValidateTokenRequest>::default();
        let request = tonic::Request::new(ValidateTokenRequest::default());
        let refused = grpc.unary(request, path.parse().unwrap(), codec).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n03_a_process_of_another_user_is_turned_away() {
    let house = House::start().await;
    let folder = Scratch::new();
    let socket = folder.path().join("others.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = Server::new(house.answering(&Oddity::default()));
    // Seen from a daemon that runs as somebody else, this process is of another user.
    let own = rustix::process::geteuid().as_raw() + 1;
    let mut serving = JoinSet::new();
    serving.spawn(server.run(Listener::Unix(listener, own)));
    let pass = house.pass(Role::Admin).await;
    let mut client = AuthServiceClient::new(ask(&Destination::Unix(socket)).unwrap());
    let token = pass.token;
    let refused = client
        .validate_token(ValidateTokenRequest { token, proof: None })
        .await;
    let code = refused.unwrap_err().code();
    assert!(
        matches!(code, Code::Unavailable | Code::Unknown | Code::Cancelled),
        "{code:?}"
    );
}
