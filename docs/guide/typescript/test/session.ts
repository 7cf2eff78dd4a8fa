import assert from "node:assert/strict";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import {
  AdvanceStop,
  type ReceiveResponse,
  type SessionService,
  type SocketOptionsSchema,
} from "../gen/halfopen/v1/session_pb";
import type { Verdict } from "../gen/halfopen/v1/verdict_pb";

/** A session: the test is the application on its hosts. */
export class Session {
  constructor(
    private readonly calls: Client<typeof SessionService>,
    private readonly session: string,
  ) {}

  async listen(host: string, port: number): Promise<number> {
    const { error, socket } = await this.calls.listen({ session: this.session, host, port });
    assert.equal(error, "");
    return socket;
  }

  async connect(
    host: string,
    to: string,
    options: MessageInitShape<typeof SocketOptionsSchema>,
  ): Promise<number> {
    const { error, socket } = await this.calls.startConnect({ session: this.session, host, to, options });
    assert.equal(error, "EINPROGRESS");
    return socket;
  }

  async accept(listener: number): Promise<number> {
    const { error, socket } = await this.calls.accept({ session: this.session, socket: listener });
    assert.equal(error, "");
    return socket;
  }

  async send(socket: number, text: string): Promise<void> {
    const data = new TextEncoder().encode(text);
    const { error, sent } = await this.calls.send({ session: this.session, socket, data });
    assert.deepEqual({ error, sent }, { error: "", sent: BigInt(data.length) });
  }

  async receive(socket: number): Promise<ReceiveResponse> {
    return await this.calls.receive({ session: this.session, socket });
  }

  /** Adds faults, written as under `faults` in a scenario. */
  async inject(faults: string): Promise<void> {
    await this.calls.applyFaults({ session: this.session, yaml: faults });
  }

  /** Moves time until the socket is readable, and returns the milliseconds since the start. */
  async untilReadable(socket: number): Promise<number> {
    const conditions = [{ condition: { case: "readable", value: socket } as const }];
    const { stop, time } = await this.calls.advance({ session: this.session, conditions });
    if (stop !== AdvanceStop.CONDITION) {
      throw new Error(`socket ${socket} will never be readable: ${AdvanceStop[stop]}`);
    }
    return durationMs(time!);
  }

  /** Moves time until nothing can happen any more, and returns the verdict. */
  async finish(): Promise<Verdict | undefined> {
    const { finished } = await this.calls.finishSession({ session: this.session });
    return finished?.verdict;
  }

  async close(): Promise<void> {
    await this.calls.deleteSession({ session: this.session });
  }
}
