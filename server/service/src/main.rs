//! The service binary.

use std::process::ExitCode;

/// Gives memory back to the system after a peak, also while all threads are idle.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    halfopend::program().await
}
