/**
 * Memory as tools of Vercel's AI SDK.
 *
 *     await generateText({ model, prompt, tools: memoryTools(skep), stopWhen: isStepCount(5) });
 */

import { type Tool, jsonSchema, tool } from "ai";

import type { Client } from "../client.js";
import { type ToolName, TOOLS, USUAL, run } from "../tools.js";

type Given = Record<string, unknown>;

/** What goes into `tools`. What goes wrong is told to the model. */
export function memoryTools(client: Client, names: readonly ToolName[] = USUAL): Record<string, Tool<Given, string>> {
  const made = names.map((name) => {
    const { description, parameters } = TOOLS[name];
    const inputSchema = jsonSchema<Given>(parameters as Parameters<typeof jsonSchema<Given>>[0]);
    const execute = async (given: Given): Promise<string> => (await run(client, name, given)).text;
    return [name, tool({ description, inputSchema, execute })] as const;
  });
  return Object.fromEntries(made) as Record<string, Tool<Given, string>>;
}
