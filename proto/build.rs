//! Compiles `halfopen/v1/*.proto` without protoc: messages, services, their proto3 JSON, and the descriptors that
//! reflection serves.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message;

const FILES: [&str; 11] = [
    "halfopen/v1/event.proto",
    "halfopen/v1/history.proto",
    "halfopen/v1/network.proto",
    "halfopen/v1/reference.proto",
    "halfopen/v1/render.proto",
    "halfopen/v1/run.proto",
    "halfopen/v1/scenario.proto",
    "halfopen/v1/server.proto",
    "halfopen/v1/session.proto",
    "halfopen/v1/tcp.proto",
    "halfopen/v1/verdict.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=halfopen");
    let descriptors = protox::compile(FILES, ["."])?;
    let encoded = descriptors.encode_to_vec();

    // google.protobuf.Duration is the type of pbjson, which knows its JSON; without this tonic names that of prost.
    tonic_prost_build::configure()
        .compile_well_known_types(true)
        // The same message is the same bytes.
        .btree_map(".")
        .extern_path(".google.protobuf", "::pbjson_types")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        // Rare and large, while an event is moved several times: boxed, the others take half the memory.
        .boxed(".halfopen.v1.Event.kind.expectation_result")
        .boxed(".halfopen.v1.Event.kind.fault_applied")
        .boxed(".halfopen.v1.Event.kind.run_started")
        .compile_fds(descriptors)?;
    // What a newer version adds is ignored, and not an error: who reads can tell by `serde_ignored`.
    let mut json = pbjson_build::Builder::new();
    json.register_descriptors(&encoded)?.btree_map(["."]).ignore_unknown_fields().build(&[".halfopen.v1"])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("halfopen.v1.descriptors"), encoded)?;
    Ok(())
}
