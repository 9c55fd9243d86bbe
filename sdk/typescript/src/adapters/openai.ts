/**
 * Memory as function tools of OpenAI's interfaces, and of all that speak them.
 *
 *     const answer = await openai.chat.completions.create({ model, messages, tools: tools() });
 *     for (const call of answer.choices[0].message.tool_calls ?? []) messages.push(await run(skep, call));
 */

import type { Client } from "../client.js";
import { type Parameters, type ToolName, TOOLS, USUAL, run as runTool } from "../tools.js";

interface Function {
  name: string;
  description: string;
  parameters: Parameters & Record<string, unknown>;
  strict: true;
}

export interface ChatTool {
  type: "function";
  function: Function;
}

export interface ResponsesTool extends Function {
  type: "function";
}

/** A call of Chat Completions. Other calls than those of functions have no `function`. */
export interface ChatCall {
  id: string;
  type: string;
  function?: { name: string; arguments: string };
}

/** A call of Responses. */
export interface ResponsesCall {
  type: "function_call";
  call_id: string;
  name: string;
  arguments: string;
}

export interface ChatResult {
  role: "tool";
  tool_call_id: string;
  content: string;
}

export interface ResponsesResult {
  type: "function_call_output";
  call_id: string;
  output: string;
}

function functions(names: readonly ToolName[]): Function[] {
  return names.map((name) => {
    const { description, parameters } = TOOLS[name];
    return { name, description, parameters: { ...parameters }, strict: true };
  });
}

/** What goes into `tools` of Chat Completions. */
export function tools(names: readonly ToolName[] = USUAL): ChatTool[] {
  return functions(names).map((made) => ({ type: "function", function: made }));
}

/** What goes into `tools` of Responses. */
export function responsesTools(names: readonly ToolName[] = USUAL): ResponsesTool[] {
  return functions(names).map((made) => ({ type: "function", ...made }));
}

/** Does what a tool call asks for; gives the message or item to go on with. */
export async function run(client: Client, call: ChatCall): Promise<ChatResult>;
export async function run(client: Client, call: ResponsesCall): Promise<ResponsesResult>;
export async function run(client: Client, call: ChatCall | ResponsesCall): Promise<ChatResult | ResponsesResult> {
  if ("call_id" in call) {
    const { text } = await runTool(client, call.name, call.arguments);
    return { type: "function_call_output", call_id: call.call_id, output: text };
  }
  const { text } = await runTool(client, call.function?.name ?? "", call.function?.arguments);
  return { role: "tool", tool_call_id: call.id, content: text };
}
