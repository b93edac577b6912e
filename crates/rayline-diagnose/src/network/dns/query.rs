//! One question to one name server, and the whole of what it answers.
//!
//! The resolver library hides what is wanted here: who answered, whether with authority, and with which flags it was asked.
//! So its messages are used, and its resolver is not. Nothing is cached.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// The most that is taken of an answer over UDP, in bytes: what no path has to cut up (RFC 9715 section 3).
const PAYLOAD: u16 = 1232;
/// How often a question is sent over UDP before its server counts as silent.
const SENDINGS: u32 = 3;
/// The option that explains a failure (RFC 8914 section 2).
const EXTENDED_ERROR: u16 = 15;

/// Of whom the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Of a resolver, which asks whom it must.
    Resolved,
    /// The same, though signatures do not hold (RFC 4035 section 3.2.2).
    Unchecked,
    /// Of the server itself.
    Own,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// None came in time.
    TimedOut,
    /// The server cannot be reached.
    Unreachable(io::Error),
}

/// Asks `server`, over UDP, and over TCP if the answer does not fit. `limit` is for all of it.
pub(super) async fn ask(
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
    want: Want,
    limit: Duration,
) -> Result<Message, Silence> {
    let exchange = async {
        let answer = over_udp(server, &question(name, kind, want, true), limit / SENDINGS).await?;
        match answer.metadata.response_code {
            // A server that is older than EDNS (RFC 6891 section 7).
            ResponseCode::FormErr | ResponseCode::NotImp => {
                over_udp(server, &question(name, kind, want, false), limit / SENDINGS).await
            }
            _ if answer.metadata.truncation => over_tcp(server, &question(name, kind, want, true)).await,
            _ => Ok(answer),
        }
    };
    match timeout(limit, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(Silence::TimedOut),
        Ok(Err(error)) => Err(Silence::Unreachable(error)),
        Err(_late) => Err(Silence::TimedOut),
    }
}

/// What a server says of why it failed: the number and the text of the first extended error (RFC 8914).
pub(super) fn extended_error(answer: &Message) -> Option<(u16, String)> {
    let EdnsOption::Unknown(_, bytes) = answer.edns.as_ref()?.option(EXTENDED_ERROR.into())? else { return None };
    let (number, text) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect()))
}

fn question(name: &Name, kind: RecordType, want: Want, extended: bool) -> Message {
    let mut id = [0; 2];
    // Without random numbers the source port, which the kernel chooses, stands alone against forged answers.
    let _ = getrandom::fill(&mut id);
    let mut message = Message::new(u16::from_be_bytes(id), MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = want != Want::Own;
    message.metadata.checking_disabled = want == Want::Unchecked;
    message.add_query(Query::query(name.clone(), kind));
    if extended {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        message.set_edns(edns);
    }
    message
}

/// Sends it again after each `patience`.
async fn over_udp(server: SocketAddr, question: &Message, patience: Duration) -> io::Result<Message> {
    let any: IpAddr = if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // What others send is then not taken for its answer, and that nobody is there is heard.
    socket.connect(server).await?;
    let bytes = question.to_vec().map_err(io::Error::other)?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    for _ in 0..SENDINGS {
        socket.send(&bytes).await?;
        let answered = async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                if let Some(answer) = answer_to(question, buffer.get(..length).unwrap_or_default()) {
                    return Ok(answer);
                }
            }
        };
        if let Ok(answered) = timeout(patience, answered).await {
            return answered;
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// RFC 7766 section 8: each message behind its length in two bytes.
async fn over_tcp(server: SocketAddr, question: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let bytes = question.to_vec().map_err(io::Error::other)?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    answer_to(question, &answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The answer in these bytes, if it is one to this question.
fn answer_to(question: &Message, bytes: &[u8]) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let same = answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == question.metadata.id
        // A server that does not understand the question need not repeat it.
        && (answer.queries.is_empty() && answer.metadata.response_code != ResponseCode::NoError
            || answer.queries == question.queries);
    same.then_some(answer)
}
