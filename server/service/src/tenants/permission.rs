//! What each method needs.

use crate::tenant::Role;

/// The methods of the protocol, by service, with the role that each needs.
const METHODS: [(&str, &[(&str, Role)]); 8] = [
    ("halfopen.v1.RunService", &[("ExecuteRun", Role::Run)]),
    (
        "halfopen.v1.HistoryService",
        &[
            ("CreateRun", Role::Run),
            ("WatchRun", Role::Read),
            ("GetRun", Role::Read),
            ("ListRuns", Role::Read),
            ("CancelRun", Role::Run),
            ("DeleteRun", Role::Run),
        ],
    ),
    // It executes a run only for who may.
    ("halfopen.v1.RenderService", &[("Render", Role::Read)]),
    (
        "halfopen.v1.ScenarioService",
        &[("ListScenarios", Role::Read), ("GetScenario", Role::Read), ("ValidateScenario", Role::Read)],
    ),
    ("halfopen.v1.ServerService", &[("GetServer", Role::Read)]),
    (
        "halfopen.v1.SessionService",
        &[
            ("CreateSession", Role::Run),
            ("GetSession", Role::Read),
            ("Listen", Role::Run),
            ("StartConnect", Role::Run),
            ("FinishConnect", Role::Run),
            ("Accept", Role::Run),
            ("Send", Role::Run),
            ("Receive", Role::Run),
            ("Shutdown", Role::Run),
            ("Close", Role::Run),
            ("Abort", Role::Run),
            ("SetOptions", Role::Run),
            // A call of a participant, whose turn it takes.
            ("GetSocket", Role::Run),
            ("Advance", Role::Run),
            ("ApplyFaults", Role::Run),
            ("LiftFault", Role::Run),
            ("LeaveSession", Role::Run),
            ("WatchSession", Role::Read),
            ("FinishSession", Role::Run),
            ("ExportSession", Role::Read),
            ("DeleteSession", Role::Run),
        ],
    ),
    ("grpc.reflection.v1.ServerReflection", &[("ServerReflectionInfo", Role::Read)]),
    ("grpc.reflection.v1alpha.ServerReflection", &[("ServerReflectionInfo", Role::Read)]),
];

/// The role that a path needs: `/halfopen.v1.RunService/ExecuteRun`. What is not listed needs the highest.
pub(crate) fn needed(path: &str) -> Role {
    let listed = || {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        let (_, methods) = METHODS.iter().find(|(name, _)| *name == service)?;
        methods.iter().find(|(name, _)| *name == method).map(|(_, role)| *role)
    };
    listed().unwrap_or(Role::Admin)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use halfopen_proto::FILE_DESCRIPTOR_SET;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn every_method_is_listed_and_no_other() {
        let sets = [
            FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        let mut methods = BTreeSet::new();
        for set in sets.map(|set| FileDescriptorSet::decode(set).expect("the build made it")) {
            for (file, service) in
                set.file.iter().flat_map(|file| file.service.iter().map(move |service| (file, service)))
            {
                let path = |name| format!("{}.{}/{name}", file.package(), service.name());
                methods.extend(service.method.iter().map(|method| path(method.name())));
            }
        }
        let path = |service, method| format!("{service}/{method}");
        let listed: BTreeSet<String> = METHODS
            .iter()
            .flat_map(|(service, methods)| methods.iter().map(move |(method, _)| path(service, method)))
            .collect();
        assert_eq!(listed, methods);
    }

    #[test]
    fn what_is_not_listed_needs_the_highest_role() {
        for (path, role) in [
            ("/halfopen.v1.RunService/ExecuteRun", Role::Run),
            ("/halfopen.v1.ServerService/GetServer", Role::Read),
            ("/halfopen.v1.RunService/ExecuteRun/", Role::Admin),
            ("/halfopen.v1.RunService/executerun", Role::Admin),
            ("/halfopen.v2.RunService/ExecuteRun", Role::Admin),
            ("halfopen.v1.RunService/ExecuteRun", Role::Admin),
            ("/", Role::Admin),
            ("", Role::Admin),
        ] {
            assert_eq!(needed(path), role, "{path}");
        }
    }
}
