//! Keys of the installation: listed, and changed at once.

use axum::response::Response;
use skep_api::Instant;
use skep_api::system::{PepperLife, Rotation, SigningLife, VaultLife};
use skep_app::RotationView;

use crate::call::{Call, ok};
use crate::error::ApiError;

pub(crate) async fn get(call: Call) -> Result<Response, ApiError> {
    shown(call.app().rotation(&call.caller).await?)
}

pub(crate) async fn pepper(call: Call) -> Result<Response, ApiError> {
    shown(call.app().rotate_pepper(&call.caller).await?)
}

pub(crate) async fn signing(call: Call) -> Result<Response, ApiError> {
    shown(call.app().rotate_signing(&call.caller).await?)
}

pub(crate) async fn vault(call: Call) -> Result<Response, ApiError> {
    shown(call.app().rotate_vault(&call.caller).await?)
}

fn shown(view: RotationView) -> Result<Response, ApiError> {
    let in_force = view.pepper;
    let unused = view.peppers.iter().all(|one| one.number != in_force);
    let peppers = view.peppers.into_iter().map(|one| PepperLife {
        number: one.number,
        in_force: one.number == in_force,
        credentials: one.credentials,
        retires_at: one.until.filter(|_| one.number != in_force).map(Instant),
    });
    let fresh = unused.then_some(PepperLife {
        number: in_force,
        in_force: true,
        credentials: 0,
        retires_at: None,
    });
    let signing = view.signing.into_iter().map(|key| SigningLife {
        id: key.kid,
        signs: key.signs,
        signs_from: Instant(key.signs_from),
        retires_at: key.until.map(Instant),
    });
    ok(&Rotation {
        peppers: peppers.chain(fresh).collect(),
        signing: signing.collect(),
        vault: view.vault.map(|vault| VaultLife {
            number: vault.number,
            under_way: vault.under_way,
        }),
    })
}
