import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Event } from "../gen/halfopen/v1/event_pb";
import { RenderFormat, type RenderRequestSchema, RenderService } from "../gen/halfopen/v1/render_pb";
import { type ExecuteRunRequestSchema, RunService } from "../gen/halfopen/v1/run_pb";
import { SessionService } from "../gen/halfopen/v1/session_pb";
import { Verdict } from "../gen/halfopen/v1/verdict_pb";
import { whole } from "./events";
import { Session } from "./session";

export type Halfopen = Awaited<ReturnType<typeof startHalfopen>>;

/** Starts a server on a free port. It ends with the tests. */
export async function startHalfopen() {
  const program = process.env.HALFOPEN_BINARY ?? "halfopen";
  const server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--exit-with-stdin"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(server, "exit");
  const [line] = await Promise.race([once(createInterface(server.stdout), "line"), exited.then(() => [""])]);
  if (!line) {
    throw new Error(`${program} serve has not started: see its messages on standard error`);
  }
  const transport = createGrpcTransport({ baseUrl: `http://${JSON.parse(line).listening}` });
  const runs = createClient(RunService, transport);
  const sessions = createClient(SessionService, transport);
  const rendering = createClient(RenderService, transport);

  /** What happened. If it cannot be shown, it says so: that must not hide the failure. */
  async function picture(source: MessageInitShape<typeof RenderRequestSchema>["source"]): Promise<string> {
    let text = "";
    try {
      for await (const part of rendering.render({ source, format: RenderFormat.TEXT })) {
        text += part.text;
      }
    } catch (error) {
      return `(what happened cannot be shown: ${ConnectError.from(error).message})`;
    }
    return text;
  }

  return {
    /** Executes a run that must pass, and returns its events. */
    async run(request: MessageInitShape<typeof ExecuteRunRequestSchema>): Promise<Event[]> {
      const events = await whole(runs.executeRun(request));
      const last = events.at(-1)?.kind;
      if (last?.case !== "runFinished" || last.value.verdict !== Verdict.PASSED) {
        throw new Error(`the run did not pass\n\n${await picture({ case: "run", value: request })}`);
      }
      return events;
    },

    /** Plays a session that must pass. A failure has a picture of what happened. */
    async play(scenario: string, test: (session: Session) => Promise<void>): Promise<void> {
      const { session: id } = await sessions.createSession({ source: { case: "yaml", value: scenario } });
      const session = new Session(sessions, id);
      try {
        await test(session);
        if ((await session.finish()) !== Verdict.PASSED) {
          throw new Error("the session breaks an expectation");
        }
      } catch (failure) {
        const message = failure instanceof Error ? failure.message : failure;
        throw new Error(`${message}\n\n${await picture({ case: "session", value: id })}`, { cause: failure });
      } finally {
        // If this fails, it must not hide the failure. The session is deleted when its lease ends.
        await session.close().catch(() => {});
      }
    },

    async stop(): Promise<void> {
      server.stdin.end();
      await exited;
    },
  };
}
