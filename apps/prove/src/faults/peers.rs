//! What happens to the services that Jumun calls.

use serde_json::json;

use super::{Done, Fault};
use crate::Failure;
use crate::cli::Pace;
use crate::site::Site;

pub(super) async fn strike(fault: Fault, site: &Site, pace: Pace) -> Result<Done, Failure> {
    let (faults, time) = match fault {
        Fault::GatewayFails => {
            (json!({"target": "payment-gateway", "errorRate": 0.5, "status": 500}), pace.seconds(5, 20))
        }
        Fault::GatewaySilent => {
            (json!({"target": "payment-gateway", "delayMs": 60_000}), pace.seconds(6, 30))
        }
        Fault::PlatformFails => {
            (json!({"target": "data-platform", "errorRate": 1.0, "status": 500}), pace.seconds(5, 60))
        }
        _ => (json!({"target": "data-platform", "delayMs": 3_000}), pace.seconds(5, 30)),
    };
    site.set_peers(faults.clone()).await?;
    tokio::time::sleep(time).await;
    site.set_peers(json!({})).await?;
    Ok(format!("{faults} for {time:?}").into())
}
