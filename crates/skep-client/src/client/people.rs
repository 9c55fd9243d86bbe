//! Participants, consent, observations, membership.

use skep_api::RouteId;
use skep_api::page::Page;
use skep_api::participant::{
    AddParticipantRequest, Card, CardRequest, ConsentQuery, ConsentRequest, Consents,
    DeleteResponse, JoinRequest, LeaveRequest, Members, MergeRequest, NameSelfRequest, Observation,
    ObservationQuery, ObserveRequest, ObserveResponse, Participant, ParticipantQuery, Recent,
    RecentQuery,
};

use super::{Client, PATIENCE};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/participants`.
    ///
    /// # Errors
    /// As [`ClientError`] says; so with every method.
    pub async fn participants(
        &mut self,
        query: &ParticipantQuery,
    ) -> Result<Page<Participant>, ClientError> {
        let parameters = [
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
            ("name", query.name.clone()),
            ("own", query.own.then(|| "true".to_owned())),
        ];
        self.get(RouteId::ParticipantList, None, &parameters).await
    }

    /// `POST /api/v1/participants`.
    pub async fn add_participant(
        &mut self,
        request: &AddParticipantRequest,
    ) -> Result<Participant, ClientError> {
        self.post(RouteId::ParticipantAdd, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/participants/self`.
    pub async fn name_self(
        &mut self,
        request: &NameSelfRequest,
    ) -> Result<Participant, ClientError> {
        self.post(RouteId::ParticipantSelf, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/participants/{id}`.
    pub async fn participant(&mut self, id: &str) -> Result<Participant, ClientError> {
        self.get(RouteId::ParticipantGet, Some(id), &[]).await
    }

    /// `GET /api/v1/participants/{id}/card`.
    pub async fn card(&mut self, id: &str) -> Result<Card, ClientError> {
        self.get(RouteId::ParticipantCard, Some(id), &[]).await
    }

    /// `POST /api/v1/participants/{id}/card`.
    pub async fn edit_card(
        &mut self,
        id: &str,
        request: &CardRequest,
    ) -> Result<Participant, ClientError> {
        self.post(
            RouteId::ParticipantCardEdit,
            Some(id),
            Some(request),
            PATIENCE,
        )
        .await
    }

    /// `POST /api/v1/participants/{id}/merge`.
    pub async fn merge_participant(
        &mut self,
        id: &str,
        request: &MergeRequest,
    ) -> Result<Participant, ClientError> {
        self.post(RouteId::ParticipantMerge, Some(id), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/participants/{id}/unmerge`.
    pub async fn unmerge_participant(&mut self, id: &str) -> Result<Participant, ClientError> {
        self.post(RouteId::ParticipantUnmerge, Some(id), None::<&()>, PATIENCE)
            .await
    }

    /// `POST /api/v1/participants/{id}/delete`.
    pub async fn delete_participant(&mut self, id: &str) -> Result<DeleteResponse, ClientError> {
        self.post(RouteId::ParticipantDelete, Some(id), None::<&()>, PATIENCE)
            .await
    }

    /// `POST /api/v1/participants/{id}/observations`.
    pub async fn observe(
        &mut self,
        id: &str,
        request: &ObserveRequest,
    ) -> Result<ObserveResponse, ClientError> {
        self.post(
            RouteId::ObservationCreate,
            Some(id),
            Some(request),
            PATIENCE,
        )
        .await
    }

    /// `GET /api/v1/participants/{id}/observations`.
    pub async fn observations(
        &mut self,
        id: &str,
        query: &ObservationQuery,
    ) -> Result<Page<Observation>, ClientError> {
        let parameters = [
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
            ("observer", query.observer.clone()),
        ];
        self.get(RouteId::ObservationList, Some(id), &parameters)
            .await
    }

    /// `GET /api/v1/consents`.
    pub async fn consents(&mut self, query: &ConsentQuery) -> Result<Consents, ClientError> {
        let parameters = [("subject", query.subject.clone())];
        self.get(RouteId::ConsentList, None, &parameters).await
    }

    /// `POST /api/v1/consents`.
    pub async fn give_consent(
        &mut self,
        request: &ConsentRequest,
    ) -> Result<Consents, ClientError> {
        self.post(RouteId::ConsentGive, None, Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/consents/revoke`.
    pub async fn revoke_consent(
        &mut self,
        request: &ConsentRequest,
    ) -> Result<Consents, ClientError> {
        self.post(RouteId::ConsentRevoke, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/sessions/{id}/participants`.
    pub async fn members(&mut self, session: &str) -> Result<Members, ClientError> {
        self.get(RouteId::SessionMembers, Some(session), &[]).await
    }

    /// `POST /api/v1/sessions/{id}/participants`.
    pub async fn join_session(
        &mut self,
        session: &str,
        request: &JoinRequest,
    ) -> Result<Members, ClientError> {
        self.post(RouteId::SessionJoin, Some(session), Some(request), PATIENCE)
            .await
    }

    /// `POST /api/v1/sessions/{id}/leave`.
    pub async fn leave_session(
        &mut self,
        session: &str,
        request: &LeaveRequest,
    ) -> Result<Members, ClientError> {
        self.post(
            RouteId::SessionLeave,
            Some(session),
            Some(request),
            PATIENCE,
        )
        .await
    }

    /// `GET /api/v1/sessions/{id}/recent`.
    pub async fn recent(
        &mut self,
        session: &str,
        query: &RecentQuery,
    ) -> Result<Recent, ClientError> {
        let parameters = [("tokens", query.tokens.map(|tokens| tokens.to_string()))];
        self.get(RouteId::SessionRecent, Some(session), &parameters)
            .await
    }
}
