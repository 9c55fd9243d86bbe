//! The protocol's server: what it says of itself, its tools, and a call that may be cancelled.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ConstString, ContentBlock, ErrorCode,
    GetPromptRequestMethod, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
    Implementation, ListPromptsRequestMethod, ListPromptsResult,
    ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, PromptsCapability,
    ReadResourceRequestMethod, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ResourcesCapability, ServerCapabilities, ServerConfig, Tool as Definition,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};

use crate::daemon::{Daemon, Refusal};
use crate::profile::Profile;
use crate::tools::{Answer, Tool, Trouble};
use crate::{prompts, resources};

/// A server for one client: over stdin and stdout as long as it runs, over HTTP for one request.
pub struct Server<D> {
    daemon: Arc<D>,
    profile: Profile,
    version: &'static str,
}

impl<D: Daemon> Server<D> {
    /// A server with the tools of a profile.
    pub const fn new(daemon: Arc<D>, profile: Profile, version: &'static str) -> Self {
        Self {
            daemon,
            profile,
            version,
        }
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        let mut tools = self.profile.tools().iter().copied();
        tools.find(|tool| tool.name() == name)
    }
}

impl<D: Daemon> ServerHandler for Server<D> {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder().enable_tools().build();
        if self.profile.has_more_than_tools() {
            capabilities.resources = Some(ResourcesCapability::default());
            capabilities.prompts = Some(PromptsCapability::default());
        }
        let implementation = Implementation::new("skep", self.version)
            .with_title("Skep")
            .with_description("The memory that a team's coding agents share.");
        ServerConfig::new(capabilities)
            .with_server_info(implementation)
            .with_instructions(self.profile.instructions())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.profile.tools().iter().copied();
        Ok(ListToolsResult::with_all_items(
            tools.map(Tool::definition).collect(),
        ))
    }

    fn get_tool(&self, name: &str) -> Option<Definition> {
        self.tool(name).map(Tool::definition)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.tool(&request.name) else {
            let problem = "There is no such tool in this profile.";
            return Err(ErrorData::invalid_params(problem, None));
        };
        let work = tool.call(&*self.daemon, request.arguments.unwrap_or_default());
        let answer = tokio::select! {
            answer = work => answer,
            // Nobody waits for the answer: a question that is under way is dropped with its connection.
            () = context.ct.cancelled() => Err(Trouble("The call was cancelled.".into())),
        };
        Ok(result(answer).into())
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.needs_more::<ListResourcesRequestMethod>()?;
        let cursor = page.and_then(|page| page.cursor);
        let listed = resources::list(&*self.daemon, cursor).await;
        listed.map_err(|refusal| {
            if resources::is_absent(&refusal) {
                ErrorData::invalid_params(refusal.told(), None)
            } else {
                failed(&refusal)
            }
        })
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.needs_more::<ListResourceTemplatesRequestMethod>()?;
        Ok(ListResourceTemplatesResult::with_all_items(
            resources::templates(),
        ))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.needs_more::<ReadResourceRequestMethod>()?;
        match resources::read(&*self.daemon, &request.uri).await {
            Ok(Some(contents)) => Ok(ReadResourceResult::new(vec![contents]).into()),
            Ok(None) => Err(absent(&request.uri)),
            Err(refusal) if resources::is_absent(&refusal) => Err(absent(&request.uri)),
            Err(refusal) => Err(failed(&refusal)),
        }
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.needs_more::<ListPromptsRequestMethod>()?;
        Ok(ListPromptsResult::with_all_items(prompts::all()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.needs_more::<GetPromptRequestMethod>()?;
        let given = request.arguments.unwrap_or_default();
        match prompts::get(&*self.daemon, &request.name, &given).await {
            Ok(Some(messages)) => Ok(GetPromptResult::new(messages).into()),
            Ok(None) => Err(ErrorData::invalid_params("There is no such prompt.", None)),
            Err(Trouble(told)) => Err(ErrorData::invalid_params(told, None)),
        }
    }
}

impl<D: Daemon> Server<D> {
    /// A method that this profile has not is not there.
    fn needs_more<M: ConstString>(&self) -> Result<(), ErrorData> {
        if self.profile.has_more_than_tools() {
            Ok(())
        } else {
            Err(ErrorData::method_not_found::<M>())
        }
    }
}

/// A refusal where the protocol has no result to put it in.
fn failed(refusal: &Refusal) -> ErrorData {
    ErrorData::new(ErrorCode::INTERNAL_ERROR, refusal.told(), None)
}

fn absent(uri: &str) -> ErrorData {
    let data = serde_json::json!({ "uri": uri });
    ErrorData::resource_not_found("There is no such resource here.", Some(data))
}

/// A failure is a result too: a model reads it and can do something about it.
fn result(answer: Result<Answer, Trouble>) -> CallToolResult {
    match answer {
        Ok(answer) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(answer.text)]);
            result.structured_content = answer.structured;
            result
        }
        Err(Trouble(told)) => CallToolResult::error(vec![ContentBlock::text(told)]),
    }
}

impl<D> std::fmt::Debug for Server<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
