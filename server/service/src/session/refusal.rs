//! What the simulation refuses, as the errors of this service.

use halfopen_scenario::Scenario;
use halfopen_sim::Refusal;
use halfopen_trace::HostId;
use tonic::{Code, Status};

use super::played::Played;
use crate::status;

impl Played {
    /// Why a call could not be made. An error that the system call would return is none; see [`Played::make`].
    pub(super) fn refused(&self, refusal: Refusal) -> Status {
        let scenario = self.scenario();
        let on_host = |reason: &str, host: HostId, what: &str, help: &str| {
            let message = format!("{} {what}; {help}", name(scenario, host));
            status::session(Code::FailedPrecondition, reason, &message)
        };
        match refusal {
            Refusal::Over => self.over(),
            Refusal::HasPrograms(host) => on_host(
                "HOST_HAS_PROGRAMS",
                host,
                "runs programs of the scenario",
                "make calls on a host for which it has none",
            ),
            Refusal::NoTcp(host) => {
                on_host("HOST_HAS_NO_TCP", host, "has no TCP", "add faults that inject what it sends")
            }
            Refusal::HostDown(host) => {
                on_host("HOST_DOWN", host, "is down", "advance until it is back, if a fault says so")
            }
            Refusal::HostPaused(host) => {
                on_host("HOST_PAUSED", host, "is paused", "advance until it resumes")
            }
            Refusal::HostFrozen(host) => {
                on_host("HOST_FROZEN", host, "has frozen processes", "advance until they resume")
            }
            Refusal::ProcessKilled(host) => {
                let help = "new ones start if the fault says when, or when the host reboots";
                on_host("PROCESS_KILLED", host, "has no processes: a fault killed them", help)
            }
            Refusal::UnknownSocket(socket) => self.socket_closed(socket),
            Refusal::UnknownFault(_) => {
                status::session(Code::NotFound, "FAULT_UNKNOWN", &refusal.to_string())
            }
            Refusal::FaultOver(_) => {
                status::session(Code::FailedPrecondition, "FAULT_OVER", &refusal.to_string())
            }
            Refusal::NotListening(_) => status::session(
                Code::FailedPrecondition,
                "SOCKET_WRONG_KIND",
                "only a listening socket takes this call",
            ),
            Refusal::Listening(_) => status::session(
                Code::FailedPrecondition,
                "SOCKET_WRONG_KIND",
                "a listening socket does not take this call; accept a connection first",
            ),
            Refusal::TooManyFaults => status::session_full(&refusal.to_string()),
            Refusal::Invalid(rule) => status::argument_invalid("", rule),
            Refusal::UnknownHost(_)
            | Refusal::UnknownMiddlebox(_)
            | Refusal::UnknownConnection(_)
            | Refusal::NotOpened(_)
            | Refusal::Failed(_) => status::argument_invalid("", &refusal.to_string()),
        }
    }
}

fn name(scenario: &Scenario, host: HostId) -> String {
    scenario.hosts.get(host.index()).map(|host| format!("`{}`", host.name)).unwrap_or_default()
}
