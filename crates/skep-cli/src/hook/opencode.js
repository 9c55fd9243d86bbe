// Skep's plugin for OpenCode: hands events to `skep hook opencode <event>` and puts what comes back
// before the model. It keeps no state but what waits for the next message, and never throws.
import { spawn } from "node:child_process"

const SKEP = "skep"
const PATIENCE_MS = 5000
const ANSWER_MAX = 64 * 1024
const ENDING_MAX = 16

function tell(event, said) {
  return new Promise((resolve) => {
    let printed = ""
    const done = () => {
      try {
        resolve(JSON.parse(printed || "{}"))
      } catch {
        resolve({})
      }
    }
    try {
      const child = spawn(SKEP, ["hook", "opencode", event], {
        stdio: ["pipe", "pipe", "ignore"],
        timeout: PATIENCE_MS,
      })
      child.on("error", () => resolve({}))
      child.on("close", done)
      child.stdout.on("data", (part) => {
        if (printed.length < ANSWER_MAX) printed += part
      })
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify(said))
    } catch {
      resolve({})
    }
  })
}

const typed = (parts) =>
  parts
    .filter((part) => part.type === "text" && !part.synthetic && !part.ignored)
    .map((part) => part.text)
    .join("\n")

export const Skep = async ({ client, directory }) => {
  const parents = new Map()
  const waiting = new Map()
  const begun = new Set()
  const say = (sessionID, more) => ({
    sessionID,
    parentID: parents.get(sessionID),
    directory,
    ...more,
  })
  const wait = (sessionID, answer) => {
    if (answer.context) {
      waiting.set(sessionID, [...(waiting.get(sessionID) ?? []), answer.context])
    }
    if (answer.notice) {
      const body = { message: answer.notice, variant: "info" }
      client.tui.showToast({ body }).catch(() => {})
    }
  }
  const begin = async (sessionID) => {
    if (begun.has(sessionID)) return
    begun.add(sessionID)
    wait(sessionID, await tell("session.created", say(sessionID)))
  }
  // The last answer is in no event: it is asked for when the agent has come to rest.
  const rest = async (sessionID) => {
    const answer = await client.session.messages({ path: { id: sessionID }, query: { limit: 10 } })
    const last = (answer.data ?? []).findLast((one) => one.info.role === "assistant")
    if (!last) return
    const more = { messageID: last.info.id, text: typed(last.parts) }
    await tell("session.idle", say(sessionID, more))
  }
  const heard = {
    "session.created": ({ info }) => {
      if (info.parentID) parents.set(info.id, info.parentID)
      return begin(info.id)
    },
    "session.compacted": async ({ sessionID }) =>
      wait(sessionID, await tell("session.compacted", say(sessionID))),
    "session.idle": ({ sessionID }) => rest(sessionID),
    "session.deleted": async ({ info }) => {
      await tell("session.deleted", say(info.id))
      for (const kept of [parents, waiting, begun]) kept.delete(info.id)
    },
  }
  return {
    event: async ({ event }) => {
      try {
        await heard[event.type]?.(event.properties)
      } catch {
        // A harness goes on without us.
      }
    },
    "chat.message": async (input, output) => {
      try {
        const { sessionID } = input
        await begin(sessionID)
        const messageID = input.messageID ?? output.message.id
        const text = typed(output.parts)
        wait(sessionID, await tell("chat.message", say(sessionID, { messageID, text })))
        const texts = waiting.get(sessionID) ?? []
        waiting.delete(sessionID)
        if (texts.length === 0) return
        output.parts.push({
          id: `prt_skep${Date.now()}`,
          sessionID,
          messageID: output.message.id,
          type: "text",
          text: texts.join("\n\n"),
          synthetic: true,
        })
      } catch {
        // As above.
      }
    },
    // No event says that a session is over: it is when OpenCode lets go of us.
    dispose: async () => {
      const last = [...begun].slice(-ENDING_MAX)
      await Promise.all(last.map((sessionID) => tell("dispose", say(sessionID))))
    },
    "tool.execute.after": async (input, output) => {
      const { tool, callID, args } = input
      await tell("tool.execute.after", say(input.sessionID, { tool, callID, args, output: output.output }))
    },
  }
}
