// Plays sessions with a harness in front of scripted models, and writes down what the models were asked.
// What to run, what the models answer and where the outcome goes is in the file that is named.
import { spawn } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"

const PATIENCE_MS = 90_000
const ASKED_MAX = 1_000

const asked = JSON.parse(readFileSync(process.argv[2], "utf8"))
const { LLMock } = createRequire(join(asked.models, "package.json"))("@copilotkit/aimock")

function run(session, url) {
  const fill = (text) => text.replaceAll("{url}", url)
  const env = Object.entries(session.env).map(([name, value]) => [name, fill(value)])
  return new Promise((resolve) => {
    const printed = { stdout: "", stderr: "" }
    const child = spawn(session.program, session.arguments.map(fill), {
      cwd: session.cwd,
      env: Object.fromEntries(env),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE_MS,
    })
    for (const stream of ["stdout", "stderr"]) child[stream].on("data", (part) => (printed[stream] += part))
    child.on("error", (error) => resolve({ code: -1, ...printed, error: error.message }))
    child.on("close", (code) => resolve({ code, ...printed }))
  })
}

const models = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" })
models.addFixturesFromJSON(asked.script)
await models.start()
const outcome = []
for (const session of asked.sessions) {
  const before = models.getRequests().length
  const ended = await run(session, models.url)
  const requests = models.getRequests().slice(before, before + ASKED_MAX)
  outcome.push({ ...ended, requests: requests.map(({ path, body }) => ({ path, body })) })
}
await models.stop()
writeFileSync(asked.outcome, JSON.stringify(outcome))
