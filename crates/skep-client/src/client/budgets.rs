//! Budgets, rate cards, and what calls of models came to.

use skep_api::RouteId;
use skep_api::budget::{
    Budget, BudgetExplanation, Budgets, ExplainBudgetRequest, RateCard, RateCards,
    SetBudgetRequest, SetRateCardRequest, UsageDays, UsageQuery,
};
use skep_api::people::Done;

use super::{Call, Client, PATIENCE, path};
use crate::ClientError;

impl Client {
    /// `GET /api/v1/budgets`.
    pub async fn budgets(&mut self) -> Result<Budgets, ClientError> {
        self.get(RouteId::BudgetList, None, &[]).await
    }

    /// `POST /api/v1/budgets`.
    pub async fn set_budget(&mut self, request: &SetBudgetRequest) -> Result<Budget, ClientError> {
        self.post(RouteId::BudgetSet, None, Some(request), PATIENCE)
            .await
    }

    /// `DELETE /api/v1/budgets/{id}`.
    pub async fn remove_budget(&mut self, id: &str) -> Result<Done, ClientError> {
        self.call(Call {
            route: RouteId::BudgetRemove,
            target: path(RouteId::BudgetRemove, Some(id)),
            body: None,
            patience: PATIENCE,
        })
        .await
    }

    /// `POST /api/v1/explain/budget`.
    pub async fn explain_budget(
        &mut self,
        request: &ExplainBudgetRequest,
    ) -> Result<BudgetExplanation, ClientError> {
        self.post(RouteId::BudgetExplain, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/rate-cards`: those that count now, or every version of the one of a pattern.
    pub async fn rate_cards(&mut self, models: Option<&str>) -> Result<RateCards, ClientError> {
        let query = [("models", models.map(str::to_owned))];
        self.get(RouteId::RateCardList, None, &query).await
    }

    /// `POST /api/v1/rate-cards`.
    pub async fn set_rate_card(
        &mut self,
        request: &SetRateCardRequest,
    ) -> Result<RateCard, ClientError> {
        self.post(RouteId::RateCardSet, None, Some(request), PATIENCE)
            .await
    }

    /// `GET /api/v1/usage`.
    pub async fn usage(&mut self, query: &UsageQuery) -> Result<UsageDays, ClientError> {
        let query = [
            ("days", query.days.map(|days| days.to_string())),
            ("since", query.since.map(|since| since.to_string())),
            ("until", query.until.map(|until| until.to_string())),
        ];
        self.get(RouteId::UsageList, None, &query).await
    }
}
