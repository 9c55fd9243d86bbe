/**
 * Memory as tools of Anthropic's Messages interface.
 *
 *     const answer = await anthropic.messages.create({ model, max_tokens, messages, tools: tools() });
 *     const uses = answer.content.filter((block) => block.type === "tool_use");
 *     messages.push({ role: "user", content: await Promise.all(uses.map((use) => run(skep, use))) });
 */

import type { Client } from "../client.js";
import { type Parameters, type ToolName, TOOLS, USUAL, run as runTool } from "../tools.js";

export interface AnthropicTool {
  name: string;
  description: string;
  input_schema: Parameters;
}

export interface ToolUse {
  id: string;
  name: string;
  input: unknown;
}

export interface ToolResult {
  type: "tool_result";
  tool_use_id: string;
  content: string;
  is_error: boolean;
}

/** What goes into `tools`. */
export function tools(names: readonly ToolName[] = USUAL): AnthropicTool[] {
  return names.map((name) => {
    const { description, parameters } = TOOLS[name];
    return { name, description, input_schema: parameters };
  });
}

/** Does what a `tool_use` block asks for; gives the `tool_result` block. */
export async function run(client: Client, block: ToolUse): Promise<ToolResult> {
  const { text, isError } = await runTool(client, block.name, block.input);
  return { type: "tool_result", tool_use_id: block.id, content: text, is_error: isError };
}
