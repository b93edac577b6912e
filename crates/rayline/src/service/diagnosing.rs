//! Diagnoses that the dashboard asks for: each runs on a thread of its own, and tells its steps as they end.

use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rayline_control::{Diagnose, Step};
use rayline_diagnose::Case;
use rayline_diagnose::case::Origin;
use rayline_diagnose::diagnosis::Diagnosing;
use rayline_diagnose::probe::{Probe, Watcher};
use rayline_diagnose::report::Masking;
use rayline_diagnose::trust::Trust;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use url::Url;

/// Diagnoses at once: each asks some dozens of requests.
const AT_ONCE: usize = 2;
/// Steps that wait for a slow reader. A diagnosis has fewer.
const STEPS: usize = 1024;
/// How long a probe may take, as `--timeout` has it by default.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How often the site is asked at least, as `--samples` has it by default.
const SAMPLES: u32 = 4;

/// Whoever runs them.
#[derive(Debug, Default)]
pub(crate) struct Clinic {
    running: Arc<AtomicUsize>,
}

impl Diagnose for Clinic {
    fn start(&self, url: &str, origins: &[String]) -> Result<Receiver<Step>, String> {
        let case = case(url, origins)?;
        let place = Place::take(&self.running).ok_or("two diagnoses run already: wait for one of them")?;
        let (steps, receiver) = channel(STEPS);
        let run = move || {
            let _place = place;
            look(case, &steps);
        };
        thread::Builder::new().name("diagnose".to_owned()).spawn(run).map_err(|error| error.to_string())?;
        Ok(receiver)
    }
}

fn case(url: &str, origins: &[String]) -> Result<Case, String> {
    let url = if url.contains("://") { url.to_owned() } else { format!("https://{url}") };
    let url = Url::parse(&url).map_err(|error| format!("this is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("write a URL that begins with http:// or https://".to_owned());
    }
    let origins = origins.iter().map(|origin| Origin::from_str(origin));
    Ok(Case {
        origins: origins.collect::<Result<_, _>>()?,
        trust: Trust::load(&[], std::env::var_os("SSL_CERT_FILE"))?,
        timeout: TIMEOUT,
        samples: SAMPLES,
        ..Case::new(url)
    })
}

fn look(case: Case, steps: &Sender<Step>) {
    let end = match diagnosis(case, steps) {
        Ok(step) => step,
        Err(why) => Step::Broken(why),
    };
    // who has gone wants no more
    let _ = steps.blocking_send(end);
}

fn diagnosis(case: Case, steps: &Sender<Step>) -> Result<Step, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let diagnosing = Diagnosing::new(case).map_err(|error| error.to_string())?;
    let told = Told(steps.clone());
    let seen = runtime.block_on(async {
        tokio::select! {
            () = diagnosing.look(None, &told) => true,
            () = steps.closed() => false,
        }
    });
    runtime.shutdown_background();
    if !seen {
        return Err("nobody waits for it any more".to_owned());
    }
    Ok(Step::Concluded(diagnosing.conclude().to_json(Masking::On)))
}

/// Tells each step; one that finds no room is left out, for the end has all of them.
struct Told(Sender<Step>);

impl Watcher for Told {
    fn began(&self, name: &str, doing: &str) {
        let _ = self.0.try_send(Step::Began { name: name.to_owned(), doing: doing.to_owned() });
    }

    fn went_on(&self, _name: &str, _done: u64, _of: Option<u64>) {}

    fn ended(&self, probe: &Probe) {
        let _ = self.0.try_send(Step::Ended(probe.to_json()));
    }
}

/// One of the places of [`AT_ONCE`].
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(running: &Arc<AtomicUsize>) -> Option<Self> {
        let free = |count: usize| (count < AT_ONCE).then_some(count + 1);
        running.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        Some(Self(Arc::clone(running)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
