//! The DNS server, asked over UDP and TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use rayline_testkit::{Dns, DnsAnswer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn dns() -> Dns {
    Dns::start([
        ("both.test", DnsAnswer::Addresses(vec![V4, V6])),
        ("private.test", DnsAnswer::address(Ipv4Addr::new(10, 1, 2, 3))),
        ("alias.test", DnsAnswer::Alias("other.test".to_owned())),
        ("other.test", DnsAnswer::Alias("both.test".to_owned())),
        ("dangling.test", DnsAnswer::Alias("nowhere.test".to_owned())),
        ("loop.test", DnsAnswer::Alias("pool.test".to_owned())),
        ("pool.test", DnsAnswer::Alias("loop.test".to_owned())),
        ("servfail.test", DnsAnswer::ServFail),
        ("refused.test", DnsAnswer::Refused),
        ("empty.test", DnsAnswer::Empty),
        ("silent.test", DnsAnswer::Silent),
        ("truncated.test", DnsAnswer::Truncated(vec![V4])),
    ])
    .unwrap()
}

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::query();
    message.metadata.id = 4711;
    message.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), kind));
    message.to_vec().unwrap()
}

async fn udp(dns: &Dns, name: &str, kind: RecordType) -> Option<Message> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.send_to(&query(name, kind), dns.addr()).await.unwrap();
    let mut bytes = vec![0; 4096];
    let received = tokio::time::timeout(Duration::from_millis(300), socket.recv(&mut bytes)).await;
    let message = Message::from_vec(&bytes[..received.ok()?.unwrap()]).unwrap();
    assert_eq!((message.metadata.id, message.queries.len()), (4711, 1));
    Some(message)
}

async fn tcp(dns: &Dns, name: &str, kind: RecordType) -> Message {
    let mut stream = TcpStream::connect(dns.addr()).await.unwrap();
    let query = query(name, kind);
    stream.write_u16(query.len() as u16).await.unwrap();
    stream.write_all(&query).await.unwrap();
    let mut bytes = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut bytes).await.unwrap();
    Message::from_vec(&bytes).unwrap()
}

fn addresses(message: &Message) -> Vec<IpAddr> {
    message.answers.iter().filter_map(|record| record.data.ip_addr()).collect()
}

#[tokio::test]
async fn addresses_are_told_by_family() {
    let dns = dns();
    assert_eq!(addresses(&udp(&dns, "both.test", RecordType::A).await.unwrap()), [V4]);
    assert_eq!(addresses(&udp(&dns, "BOTH.Test", RecordType::AAAA).await.unwrap()), [V6]);
    assert_eq!(addresses(&tcp(&dns, "both.test", RecordType::A).await), [V4]);
    let private = udp(&dns, "private.test", RecordType::A).await.unwrap();
    assert_eq!(addresses(&private), [IpAddr::from([10, 1, 2, 3])]);
    let none = udp(&dns, "private.test", RecordType::AAAA).await.unwrap();
    assert_eq!(
        (none.metadata.response_code, none.answers.len(), none.authorities.len()),
        (ResponseCode::NoError, 0, 1)
    );
}

#[tokio::test]
async fn aliases_are_followed_as_far_as_they_go() {
    let dns = dns();
    let alias = udp(&dns, "alias.test", RecordType::A).await.unwrap();
    assert_eq!((alias.answers.len(), addresses(&alias)), (3, vec![V4]));
    let alone = udp(&dns, "alias.test", RecordType::CNAME).await.unwrap();
    assert!(matches!(alone.answers[..], [ref record] if matches!(record.data, RData::CNAME(_))));
    let dangling = udp(&dns, "dangling.test", RecordType::A).await.unwrap();
    assert_eq!((dangling.metadata.response_code, dangling.answers.len()), (ResponseCode::NXDomain, 1));
    let endless = udp(&dns, "loop.test", RecordType::A).await.unwrap();
    assert!(endless.answers.len() >= 2 && addresses(&endless).is_empty());
}

#[tokio::test]
async fn failures_are_told_apart() {
    let dns = dns();
    for (name, code) in [
        ("unknown.test", ResponseCode::NXDomain),
        ("servfail.test", ResponseCode::ServFail),
        ("refused.test", ResponseCode::Refused),
        ("empty.test", ResponseCode::NoError),
    ] {
        for message in [udp(&dns, name, RecordType::A).await.unwrap(), tcp(&dns, name, RecordType::A).await] {
            assert_eq!((message.metadata.response_code, message.answers.len()), (code, 0), "{name}");
        }
    }
    assert!(udp(&dns, "silent.test", RecordType::A).await.is_none());
    let truncated = udp(&dns, "truncated.test", RecordType::A).await.unwrap();
    assert!(truncated.metadata.truncation && truncated.answers.is_empty());
    assert_eq!(addresses(&tcp(&dns, "truncated.test", RecordType::A).await), [V4]);
}

#[tokio::test]
async fn garbage_is_ignored_and_answers_change() {
    let dns = dns();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for garbage in [b"".as_slice(), b"x", &[0xff; 512]] {
        socket.send_to(garbage, dns.addr()).await.unwrap();
    }
    dns.set("unknown.test", DnsAnswer::address(V4)).unwrap();
    assert_eq!(addresses(&udp(&dns, "unknown.test", RecordType::A).await.unwrap()), [V4]);
    assert_eq!(dns.questions(), [("unknown.test".to_owned(), "A".to_owned())]);
    assert!(dns.set("a..b", DnsAnswer::Empty).is_err());
}
