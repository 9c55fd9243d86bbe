/** Client of Skep: memory that a team's coding agents share and nobody else can read. */

export { Client, type Extras, type Given, type Options, VERSION } from "./client.js";
export * from "./errors.js";
export type * from "./models.js";
export type { Operation, Stream } from "./operation.js";
export * as operations from "./operations.js";
export type { Retry } from "./retry.js";
export type { Where } from "./target.js";
