//! The application of one end: it plays its script, checks every octet, and closes.

use std::time::Duration;

use halfopen_tcp::{Instant, Received};

use crate::host::{Host, Standing};
use crate::plan::{Action, Step};

/// How an application ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It read to the end, shut down and closed.
    Finished,
    /// Its script had it go before.
    Quit,
    /// TCP told it an error.
    Failed(String),
}

/// An application and how far it is.
#[derive(Debug)]
pub(crate) struct Application {
    end: usize,
    script: Vec<Step>,
    /// Steps done.
    done: usize,
    /// When the next step is due, once the connection is open.
    due: Option<Instant>,
    to_write: u32,
    may_read: u32,
    /// It has played its script, and reads all it gets.
    drains: bool,
    wants_shutdown: bool,
    lingers: bool,
    at_end: bool,
    pub(crate) has_shut: bool,
    pub(crate) written: u64,
    pub(crate) read: u64,
    pub(crate) outcome: Option<Outcome>,
}

/// The octet at an offset of what an end writes: no short period, and not the other end's.
fn octet(end: usize, offset: u64) -> u8 {
    (offset % 251) as u8 ^ (offset / 251) as u8 ^ (end as u8) << 7
}

impl Application {
    pub(crate) fn new(end: usize, script: &[Step], lingers: bool) -> Application {
        Application {
            end,
            script: script.to_vec(),
            done: 0,
            due: (end == 0).then(|| Instant::ZERO + pause(script.first())),
            to_write: 0,
            may_read: 0,
            drains: script.is_empty(),
            wants_shutdown: script.is_empty(),
            lingers,
            at_end: false,
            has_shut: false,
            written: 0,
            read: 0,
            outcome: None,
        }
    }

    /// When it wants to do something of its own.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        self.due.filter(|_| self.outcome.is_none() && self.done < self.script.len())
    }

    /// How far it is: steps, octets written and read, and whether it has ended.
    pub(crate) fn progress(&self) -> (usize, u64, u64, bool) {
        (self.done, self.written, self.read, self.outcome.is_some())
    }

    /// Does what it can do now. `sent` is what the peer wrote, and whether it shut down.
    pub(crate) fn run(&mut self, now: Instant, host: &mut dyn Host, sent: (u64, bool)) -> Result<(), String> {
        if self.outcome.is_some() {
            return Ok(());
        }
        if host.standing() == Standing::Opening {
            self.step(now, host, false);
            return Ok(());
        }
        if self.fails(now, host) {
            return Ok(());
        }
        self.due.get_or_insert(now + pause(self.script.first()));
        self.step(now, host, true);
        if self.outcome.is_some() {
            return Ok(());
        }
        self.write(now, host);
        self.read(now, host, sent)?;
        let over = self.at_end && self.has_shut && (!self.lingers || host.is_acknowledged());
        if !self.fails(now, host) && over {
            host.close(now);
            self.outcome = Some(Outcome::Finished);
        }
        Ok(())
    }

    /// Whether TCP tells an error, which is the end.
    fn fails(&mut self, now: Instant, host: &mut dyn Host) -> bool {
        let Standing::Failed(why) = host.standing() else { return false };
        host.close(now);
        self.outcome = Some(Outcome::Failed(why));
        true
    }

    /// Plays the steps that are due; before the connection is open, only those that end it.
    fn step(&mut self, now: Instant, host: &mut dyn Host, open: bool) {
        while let Some(due) = self.due.filter(|due| *due <= now)
            && let Some(Step { action, .. }) = self.script.get(self.done)
            && self.outcome.is_none()
        {
            match action {
                Action::Close => {
                    host.close(now);
                    self.has_shut = true;
                    self.outcome = Some(Outcome::Quit);
                }
                Action::Abort => {
                    host.abort(now);
                    self.outcome = Some(Outcome::Quit);
                }
                Action::Write(_) | Action::Read(_) | Action::Shutdown if !open => {
                    // Tried again once it is open, without waking until then.
                    self.due = None;
                    return;
                }
                Action::Write(octets) if !self.wants_shutdown => self.to_write += octets,
                Action::Write(_) => {}
                Action::Read(octets) => self.may_read += octets,
                Action::Shutdown => self.wants_shutdown = true,
            }
            self.done += 1;
            self.due = Some(due + pause(self.script.get(self.done)));
        }
        if open && self.done == self.script.len() {
            self.drains = true;
            self.wants_shutdown = true;
        }
    }

    fn write(&mut self, now: Instant, host: &mut dyn Host) {
        while self.to_write > 0 {
            let count = u64::from(self.to_write.min(1000));
            let octets: Vec<u8> =
                (self.written..self.written + count).map(|offset| octet(self.end, offset)).collect();
            let taken = host.write(now, &octets);
            if taken == 0 {
                return;
            }
            self.written += taken as u64;
            self.to_write -= taken as u32;
        }
        if self.wants_shutdown && !self.has_shut {
            host.shutdown(now);
            self.has_shut = true;
        }
    }

    fn read(&mut self, now: Instant, host: &mut dyn Host, sent: (u64, bool)) -> Result<(), String> {
        let (end, peer) = (self.end, 1 - self.end);
        let mut buffer = [0; 700];
        while !self.at_end {
            let most = if self.drains { buffer.len() } else { buffer.len().min(self.may_read as usize) };
            if most == 0 {
                break;
            }
            match host.read(now, &mut buffer[..most]) {
                Received::Octets(count) => {
                    let expected = (self.read..).map(|offset| octet(peer, offset));
                    if let Some(at) = buffer[..count].iter().zip(expected).position(|(got, due)| *got != due)
                    {
                        return Err(format!("end {end} read a wrong octet at {}", self.read + at as u64));
                    }
                    self.read += count as u64;
                    self.may_read = self.may_read.saturating_sub(count as u32);
                }
                Received::End => self.at_end = true,
                Received::Nothing => break,
            }
        }
        if self.read > sent.0 {
            return Err(format!("end {end} read {} octets of {}", self.read, sent.0));
        }
        if self.at_end && (self.read, true) != sent {
            return Err(format!(
                "end {end} read {} and the end, but the peer (wrote, shut down) {sent:?}",
                self.read
            ));
        }
        Ok(())
    }
}

fn pause(step: Option<&Step>) -> Duration {
    Duration::from_millis(step.map_or(0, |step| u64::from(step.after_ms)))
}
