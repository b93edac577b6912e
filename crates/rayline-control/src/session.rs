//! Who is logged in: a bounded table of sessions in memory, and a brake on tries to log in.
//!
//! Sessions do not outlive the process: whoever holds the token logs in again.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::access::Role;

/// Sessions that are open at once; one more closes the one that was used least lately.
const SESSIONS: usize = 64;

/// A session that was not used for so long is closed.
const IDLE: Duration = Duration::from_secs(12 * 3600);

/// However busy it is, a session is closed after so long.
const AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Wrong tokens that an address may send at once.
const TRIES: u32 = 10;

/// After so long an address has one more try.
const TRY_EVERY: Duration = Duration::from_secs(6);

/// Addresses whose tries are remembered; the one with the oldest try is forgotten for a new one.
const ADDRESSES: usize = 512;

/// Codes that let somebody in once and were not used yet; one more makes the oldest worthless.
const CODES: usize = 8;

/// 32 random bytes as hexadecimal digits. Compared without a hint of where it is wrong, and not shown by `Debug`.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a session lets its holder do.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) role: Role,
    /// What every form of it carries.
    pub(crate) csrf: Secret,
    /// How long it lasts.
    pub(crate) life: Life,
}

/// How long a session lasts: until it is closed, too old, or was not used for too long. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Closed with the session.
    closed: watch::Receiver<()>,
    opened: Instant,
    used: Arc<Mutex<Instant>>,
}

impl Life {
    fn until(&self) -> Instant {
        (*lock(&self.used) + IDLE).min(self.opened + AGE)
    }

    /// Returns when it is over: what goes on in the session's name ends then.
    pub(crate) async fn over(mut self) {
        loop {
            let until = tokio::time::Instant::from_std(self.until());
            tokio::select! {
                // nothing is ever sent: this is the end of the session
                _ = self.closed.changed() => return,
                // it may have been used in the meantime
                () = tokio::time::sleep_until(until) => if tokio::time::Instant::from_std(self.until()) <= until { return },
            }
        }
    }
}

#[derive(Debug)]
struct Open {
    id: Secret,
    session: Session,
    /// Dropped with it, which tells everybody who waits for its end.
    _end: watch::Sender<()>,
}

/// Every open session.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Mutex<Vec<Open>>,
    codes: Mutex<Vec<Code>>,
    brake: Mutex<Vec<Tries>>,
}

/// What lets somebody in once.
#[derive(Debug)]
struct Code {
    secret: Secret,
    until: Instant,
}

#[derive(Debug)]
struct Tries {
    address: IpAddr,
    /// Wrong tokens less the tries that time has given back.
    wrong: u32,
    last: Instant,
}

impl Sessions {
    /// Opens one, and says by what it is known from now on.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes to give.
    pub(crate) fn open(&self, role: Role, now: Instant) -> std::io::Result<Secret> {
        let (id, csrf) = (Secret::new()?, Secret::new()?);
        let mut open = lock(&self.open);
        open.retain(|session| session.is_alive(now));
        if open.len() >= SESSIONS
            && let Some(oldest) = (0..open.len()).min_by_key(|place| open.get(*place).map(Open::used))
        {
            open.swap_remove(oldest);
        }
        let (end, closed) = watch::channel(());
        let life = Life { closed, opened: now, used: Arc::new(Mutex::new(now)) };
        open.push(Open { id: id.clone(), session: Session { role, csrf, life }, _end: end });
        Ok(id)
    }

    /// The session of that name. All of them are looked at, whichever it is.
    pub(crate) fn find(&self, id: &str, now: Instant) -> Option<Session> {
        let mut found = None;
        for session in lock(&self.open).iter() {
            if session.id.is(id) && session.is_alive(now) {
                *lock(&session.session.life.used) = now;
                found = Some(session.session.clone());
            }
        }
        found
    }

    /// Closes it.
    pub(crate) fn close(&self, id: &str) {
        lock(&self.open).retain(|session| !session.id.is(id));
    }

    /// A code that lets its holder in once, as the administrator, before `until`.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes to give.
    pub(crate) fn issue_code(&self, until: Instant) -> std::io::Result<Secret> {
        let secret = Secret::new()?;
        let mut codes = lock(&self.codes);
        if codes.len() >= CODES {
            codes.remove(0);
        }
        codes.push(Code { secret: secret.clone(), until });
        Ok(secret)
    }

    /// Whether this code lets somebody in. It does not a second time.
    pub(crate) fn redeem(&self, offered: &str, now: Instant) -> bool {
        let mut codes = lock(&self.codes);
        codes.retain(|code| now < code.until);
        let open = codes.len();
        codes.retain(|code| !code.secret.is(offered));
        codes.len() < open
    }

    /// How long this address has to wait before it may try a token; `None`: it may.
    pub(crate) fn must_wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let address = network(address);
        let brake = lock(&self.brake);
        let tries = brake.iter().find(|tries| tries.address == address)?;
        let left = tries.left(now);
        (left >= TRIES).then(|| TRY_EVERY.saturating_sub(now.saturating_duration_since(tries.last)))
    }

    /// Notes a wrong token.
    pub(crate) fn was_wrong(&self, address: IpAddr, now: Instant) {
        let address = network(address);
        let mut brake = lock(&self.brake);
        if let Some(tries) = brake.iter_mut().find(|tries| tries.address == address) {
            tries.wrong = tries.left(now).saturating_add(1);
            tries.last = now;
            return;
        }
        if brake.len() >= ADDRESSES
            && let Some(oldest) = (0..brake.len()).min_by_key(|place| brake.get(*place).map(|tries| tries.last))
        {
            brake.swap_remove(oldest);
        }
        brake.push(Tries { address, wrong: 1, last: now });
    }
}

impl Open {
    fn is_alive(&self, now: Instant) -> bool {
        now < self.session.life.until()
    }

    fn used(&self) -> Instant {
        *lock(&self.session.life.used)
    }
}

impl Tries {
    fn left(&self, now: Instant) -> u32 {
        let back = now.saturating_duration_since(self.last).as_secs() / TRY_EVERY.as_secs();
        self.wrong.saturating_sub(u32::try_from(back).unwrap_or(u32::MAX))
    }
}

/// Whoever has an IPv6 address mostly has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_when_closed_unused_or_old() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let one = sessions.open(Role::Admin, start).unwrap();
        let two = sessions.open(Role::Viewer, start).unwrap();
        assert_eq!(sessions.find(one.as_str(), start).map(|session| session.role), Some(Role::Admin));
        assert_eq!(sessions.find(two.as_str(), start).map(|session| session.role), Some(Role::Viewer));
        assert!(sessions.find("", start).is_none());
        assert!(sessions.find(&one.as_str()[1..], start).is_none());
        sessions.close(two.as_str());
        assert!(sessions.find(two.as_str(), start).is_none());
        let mut now = start;
        while now < start + AGE - IDLE {
            now += IDLE / 2;
            assert!(sessions.find(one.as_str(), now).is_some());
        }
        assert!(sessions.find(one.as_str(), start + AGE).is_none());
        let idle = sessions.open(Role::Admin, start).unwrap();
        assert!(sessions.find(idle.as_str(), start + IDLE).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_its_end_is_told() {
        let now = || tokio::time::Instant::now().into_std();
        let (sessions, start) = (Sessions::default(), now());
        let life = |id: &Secret| sessions.find(id.as_str(), now()).map(|session| session.life).unwrap();
        let closed = sessions.open(Role::Admin, start).unwrap();
        let over = life(&closed).over();
        sessions.close(closed.as_str());
        over.await;
        assert_eq!(now(), start, "it was closed, and not waited for");

        let used = sessions.open(Role::Admin, start).unwrap();
        let mut over = std::pin::pin!(life(&used).over());
        let half = tokio::time::timeout(IDLE / 2, &mut over).await;
        assert!(half.is_err());
        life(&used);
        over.await;
        assert_eq!(now() - start, IDLE / 2 + IDLE, "use makes it longer");
    }

    #[test]
    fn a_code_works_once_and_not_for_long() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let (used, old) = (sessions.issue_code(start + IDLE).unwrap(), sessions.issue_code(start + TRY_EVERY).unwrap());
        assert!(!sessions.redeem("", start) && !sessions.redeem(&used.as_str()[1..], start));
        assert!(sessions.redeem(used.as_str(), start));
        assert!(!sessions.redeem(used.as_str(), start));
        assert!(!sessions.redeem(old.as_str(), start + TRY_EVERY));
        let first = sessions.issue_code(start + IDLE).unwrap();
        (0..CODES).for_each(|_| drop(sessions.issue_code(start + IDLE).unwrap()));
        assert!(!sessions.redeem(first.as_str(), start));
    }

    #[test]
    fn there_are_only_so_many() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let ids: Vec<_> = (0..SESSIONS + 1)
            .map(|place| sessions.open(Role::Admin, start + Duration::from_secs(place as u64)).unwrap())
            .collect();
        let now = start + Duration::from_secs(SESSIONS as u64 + 1);
        assert!(sessions.find(ids[0].as_str(), now).is_none());
        assert!(ids[1..].iter().all(|id| sessions.find(id.as_str(), now).is_some()));
    }

    #[test]
    fn wrong_tokens_are_slowed_down_by_address() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let (guesser, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..TRIES {
            assert_eq!(sessions.must_wait(guesser, start), None);
            sessions.was_wrong(guesser, start);
        }
        assert_eq!(sessions.must_wait(guesser, start), Some(TRY_EVERY));
        assert_eq!(sessions.must_wait(other, start), None);
        assert_eq!(sessions.must_wait(guesser, start + TRY_EVERY), None);
        let (near, far) = ("2001:db8::1".parse().unwrap(), "2001:db8::2:0:0:1".parse().unwrap());
        (0..TRIES).for_each(|_| sessions.was_wrong(near, start));
        assert!(sessions.must_wait(far, start).is_some(), "the same /64");
        for place in 0..2 * ADDRESSES as u32 {
            sessions.was_wrong(std::net::Ipv4Addr::from(place).into(), start);
        }
        assert_eq!(lock(&sessions.brake).len(), ADDRESSES);
    }
}
