//! A tiny DNS server on loopback, over UDP and TCP, with one scripted answer per name.
//!
//! It knows no zones, no delegation and no DNSSEC, and answers as a resolver and as an authority at once. Messages are read
//! and written by hickory.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

/// Time to live of every record, in seconds: short, so that a changed script is soon seen.
const TTL: u32 = 1;
/// The longest query that is read, in bytes.
const QUERY_LIMIT: usize = 4096;
/// How many questions are remembered; older ones are forgotten first.
const MEMORY: usize = 256;
/// How often the server looks for a port that is free for UDP and TCP.
const ATTEMPTS: usize = 16;
/// The longest chain of aliases that is followed.
const CHAIN: usize = 16;

/// What the server says of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsAnswer {
    /// These addresses: the IPv4 ones to A, the IPv6 ones to AAAA.
    Addresses(Vec<IpAddr>),
    /// An alias (CNAME) of this name, followed by what the server says of that.
    Alias(String),
    /// The name does not exist.
    NxDomain,
    /// The server failed.
    ServFail,
    /// The server does not want to answer.
    Refused,
    /// The name exists, but has no address.
    Empty,
    /// No answer at all.
    Silent,
    /// Over UDP a truncated answer without records; over TCP these addresses.
    Truncated(Vec<IpAddr>),
}

impl DnsAnswer {
    /// [`DnsAnswer::Addresses`] of one address.
    pub fn address(address: impl Into<IpAddr>) -> Self {
        Self::Addresses(vec![address.into()])
    }

    /// The stable name, in kebab-case.
    pub fn name(&self) -> &'static str {
        self.row().0
    }

    /// What the DNS server does, completing the sentence "the name server …".
    pub fn what(&self) -> &'static str {
        self.row().1
    }

    fn row(&self) -> (&'static str, &'static str) {
        match self {
            Self::Addresses(_) => ("dns-addresses", "knows the address of the origin"),
            Self::Alias(_) => ("dns-alias", "says that the origin's name is an alias of another"),
            Self::NxDomain => ("dns-nxdomain", "says that the origin's name does not exist"),
            Self::ServFail => ("dns-servfail", "fails to look the origin's name up"),
            Self::Refused => ("dns-refused", "refuses to answer for the origin's name"),
            Self::Empty => ("dns-empty", "says that the origin's name has no address"),
            Self::Silent => ("dns-silent", "never answers for the origin's name"),
            Self::Truncated(_) => ("dns-truncated", "answers in full over TCP only, and says so over UDP"),
        }
    }
}

/// A running DNS server. Dropping it closes its ports.
#[derive(Debug)]
pub struct Dns {
    addr: SocketAddr,
    names: Arc<Names>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Names {
    answers: Mutex<HashMap<Name, DnsAnswer>>,
    questions: Mutex<VecDeque<(String, String)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

impl Dns {
    /// Starts a server on a free port of 127.0.0.1, the same one for UDP and TCP. Names that it has no answer for do not
    /// exist.
    ///
    /// # Errors
    /// Outside of a tokio runtime; when no port is free; when a name is no DNS name.
    pub fn start<N: AsRef<str>>(answers: impl IntoIterator<Item = (N, DnsAnswer)>) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let names = Arc::<Names>::default();
        for (name, answer) in answers {
            names.set(name.as_ref(), answer)?;
        }
        let (udp, tcp) = sockets()?;
        let addr = udp.local_addr()?;
        let task = runtime.spawn(answer_all(udp, tcp, Arc::clone(&names)));
        Ok(Self { addr, names, task })
    }

    /// Where it answers, over UDP and over TCP.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes what it says of a name.
    ///
    /// # Errors
    /// When `name` is no DNS name.
    pub fn set(&self, name: &str, answer: DnsAnswer) -> io::Result<()> {
        self.names.set(name, answer)
    }

    /// The latest 256 questions it was asked, in order: name in lower case without the last dot, and type (`A`, `AAAA`).
    pub fn questions(&self) -> Vec<(String, String)> {
        let questions = self.names.questions.lock().unwrap_or_else(PoisonError::into_inner);
        questions.iter().cloned().collect()
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Names {
    fn set(&self, name: &str, answer: DnsAnswer) -> io::Result<()> {
        if let DnsAnswer::Alias(target) = &answer {
            dns_name(target)?;
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(dns_name(name)?, answer);
        Ok(())
    }

    fn find(&self, name: &Name) -> DnsAnswer {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(&name.to_lowercase()).cloned().unwrap_or(DnsAnswer::NxDomain)
    }

    fn note(&self, name: &Name, kind: RecordType) {
        let mut name = name.to_lowercase();
        name.set_fqdn(false);
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if questions.len() == MEMORY {
            questions.pop_front();
        }
        questions.push_back((name.to_ascii(), kind.to_string()));
    }

    /// The response to the query in `bytes`; `None` to say nothing.
    fn respond(&self, bytes: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let query = Message::from_vec(bytes).ok()?;
        if query.metadata.message_type != MessageType::Query {
            return None;
        }
        let mut response = Message::response(query.metadata.id, query.metadata.op_code);
        response.metadata.recursion_desired = query.metadata.recursion_desired;
        response.metadata.recursion_available = true;
        response.metadata.authoritative = true;
        response.edns = query.edns.is_some().then(Edns::new);
        let question = query.queries.first().filter(|_| query.metadata.op_code == OpCode::Query);
        if let Some(question) = question {
            self.note(question.name(), question.query_type());
            response.add_query(question.clone());
            if !self.answer(question.name(), question.query_type(), transport, &mut response) {
                return None;
            }
        } else {
            response.metadata.response_code = ResponseCode::NotImp;
        }
        response.to_vec().ok()
    }

    /// Fills `response`; `false` to say nothing.
    fn answer(&self, name: &Name, kind: RecordType, transport: Transport, response: &mut Message) -> bool {
        let mut name = name.clone();
        let mut answer = self.find(&name);
        // a chain that comes back to itself is sent as far as it goes: finding the loop is the asker's work
        while let DnsAnswer::Alias(target) = &answer {
            let Ok(target) = dns_name(target) else { break };
            let owner = std::mem::replace(&mut name, target.clone());
            response.add_answer(Record::from_rdata(owner, TTL, RData::CNAME(CNAME(target))));
            if kind == RecordType::CNAME || response.answers.len() == CHAIN {
                break;
            }
            answer = self.find(&name);
        }
        match answer {
            DnsAnswer::Silent => return false,
            DnsAnswer::Alias(_) => {}
            DnsAnswer::Addresses(addresses) => add_addresses(&name, kind, &addresses, response),
            DnsAnswer::Truncated(_) if transport == Transport::Udp => response.metadata.truncation = true,
            DnsAnswer::Truncated(addresses) => add_addresses(&name, kind, &addresses, response),
            DnsAnswer::Empty => add_authority(response),
            DnsAnswer::NxDomain => {
                response.metadata.response_code = ResponseCode::NXDomain;
                add_authority(response);
            }
            DnsAnswer::ServFail => response.metadata.response_code = ResponseCode::ServFail,
            DnsAnswer::Refused => response.metadata.response_code = ResponseCode::Refused,
        }
        true
    }
}

/// The records of `kind` among `addresses`, or word that there are none.
fn add_addresses(name: &Name, kind: RecordType, addresses: &[IpAddr], response: &mut Message) {
    let before = response.answers.len();
    for address in addresses {
        let data = match (address, kind) {
            (IpAddr::V4(address), RecordType::A) => RData::A(A(*address)),
            (IpAddr::V6(address), RecordType::AAAA) => RData::AAAA(AAAA(*address)),
            (IpAddr::V4(_) | IpAddr::V6(_), _) => continue,
        };
        response.add_answer(Record::from_rdata(name.clone(), TTL, data));
    }
    if response.answers.len() == before {
        add_authority(response);
    }
}

/// The record that makes a negative answer one (RFC 2308 section 2), of a zone that is everything.
fn add_authority(response: &mut Message) {
    let soa = SOA::new(Name::root(), Name::root(), 1, 3600, 3600, 3600, TTL);
    response.add_authority(Record::from_rdata(Name::root(), TTL, RData::SOA(soa)));
}

/// `name` in lower case, with its last dot.
fn dns_name(name: &str) -> io::Result<Name> {
    let mut name =
        Name::from_str(name).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?.to_lowercase();
    name.set_fqdn(true);
    Ok(name)
}

fn sockets() -> io::Result<(UdpSocket, TcpListener)> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let udp = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let tcp = match std::net::TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => tcp,
            // that port is taken by a TCP socket: take another
            Err(_) if attempt < ATTEMPTS => continue,
            Err(error) => return Err(error),
        };
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        return Ok((UdpSocket::from_std(udp)?, TcpListener::from_std(tcp)?));
    }
}

async fn answer_all(udp: UdpSocket, tcp: TcpListener, names: Arc<Names>) {
    let mut query = vec![0; QUERY_LIMIT];
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            received = udp.recv_from(&mut query) => {
                // an error here is of an earlier response that could not be delivered
                let Ok((length, peer)) = received else { continue };
                let query = query.get(..length).unwrap_or_default();
                if let Some(response) = names.respond(query, Transport::Udp) {
                    let _undelivered = udp.send_to(&response, peer).await;
                }
            }
            accepted = tcp.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(answer_stream(stream, Arc::clone(&names)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// RFC 7766: each message behind its length in two bytes.
async fn answer_stream(mut stream: TcpStream, names: Arc<Names>) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        if let Some(response) = names.respond(&query, Transport::Tcp) {
            let length = u16::try_from(response.len()).map_err(io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes(), response.as_slice()].concat()).await?;
        }
    }
}
