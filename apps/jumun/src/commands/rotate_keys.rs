//! `jumun rotate-keys` (ADR-036).

use std::process::ExitCode;
use std::time::Duration;

use kernel::{StoreError, UserId};
use user::{PersonalDataRotation, RotatedBatch};

use super::{CommandError, connect_migrated, print};
use crate::settings::Settings;

/// How often a batch is tried when others are in the way.
const ATTEMPTS: u32 = 5;
/// How long it rests before it is tried again.
const REST: Duration = Duration::from_millis(200);
/// How many users that are left are named.
const NAMED: usize = 20;

/// Encrypts anew what is under another key, and says how much; the exit code is 1 if something is left.
pub(super) async fn run(settings: &Settings) -> Result<ExitCode, CommandError> {
    let wiring = connect_migrated(settings).await?;
    let result = rotate_all(&wiring.database).await;
    let (rotated, left) =
        result.map_err(|error| CommandError::because("not all personal data is encrypted anew", &error))?;
    print(&format!("personal data of {rotated} users is encrypted anew"));
    if left.is_empty() {
        print("nothing is left under another key");
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{} users are left under another key, which is needed further on:", left.len()));
    left.iter().take(NAMED).for_each(|user| print(&format!("  {user}")));
    Ok(ExitCode::FAILURE)
}

/// Goes through all users, and once more where something is left: whoever was changed meanwhile is settled
/// then. Returns how many are encrypted anew, and who is left.
async fn rotate_all(users: &dyn PersonalDataRotation) -> Result<(u64, Vec<UserId>), StoreError> {
    let (rotated, left) = rotate_once(users).await?;
    if left.is_empty() {
        return Ok((rotated, left));
    }
    let (more, left) = rotate_once(users).await?;
    Ok((rotated + more, left))
}

async fn rotate_once(users: &dyn PersonalDataRotation) -> Result<(u64, Vec<UserId>), StoreError> {
    let (mut rotated, mut left, mut after) = (0, Vec::new(), None);
    loop {
        let batch = rotate_batch(users, after).await?;
        rotated += batch.rotated;
        left.extend(batch.left);
        let Some(last) = batch.last else { return Ok((rotated, left)) };
        after = Some(last);
    }
}

async fn rotate_batch(
    users: &dyn PersonalDataRotation,
    after: Option<UserId>,
) -> Result<RotatedBatch, StoreError> {
    for _ in 1..ATTEMPTS {
        match users.rotate(after).await {
            Err(StoreError::Contended(_)) => tokio::time::sleep(REST).await,
            done => return done,
        }
    }
    users.rotate(after).await
}
