import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { type Halfopen, startHalfopen } from "./halfopen";
import type { Session } from "./session";

const scenario = `
scenario: dead-server
hosts: {client: {}, server: {}}
network: {latency: 20ms}
expect:
  - client: {keepalive: dead, probes: 9}
  - client: {error: ETIMEDOUT}
`;

let halfopen: Halfopen;

before(async () => {
  halfopen = await startHalfopen();
});

after(() => halfopen.stop());

test("a lost FIN is sent again", async () => {
  const events = await halfopen.run({ source: { case: "name", value: "dropped-fin" } });
  const fins = events.flatMap(({ host, kind }) =>
    host === "client" && kind.case === "segmentSent" && kind.value.flags?.fin ? [kind.value] : [],
  );
  assert.deepEqual(
    fins.map((fin) => fin.retransmission),
    [false, true],
  );
});

test("keepalive finds a dead server after two hours", () =>
  halfopen.play(scenario, async (session) => {
    const client = await query(session, true);
    await session.inject("{power-loss: server}");
    const found = await session.untilReadable(client);
    assert.ok(found > 2 * 60 * 60 * 1000, `found out after ${found} ms`);
    assert.equal((await session.receive(client)).error, "ETIMEDOUT");
  }));

test("a failure shows what happened", async () => {
  const failing = halfopen.play(scenario, async (session) => {
    const client = await query(session, false);
    await session.inject("{power-loss: server}");
    await session.untilReadable(client);
  });
  await assert.rejects(failing, { message: await readFile("failure.txt", "utf8") });
});

test("a failure is shown even if the picture is not", async () => {
  const failing = halfopen.play(scenario, async (session) => {
    await session.close();
    assert.fail("this is what failed");
  });
  await assert.rejects(failing, {
    message: /^this is what failed\n\n\(what happened cannot be shown: \[not_found\]/,
  });
});

test("an event that comes in parts is whole", async () => {
  const waits = "wait: 1ms, ".repeat(9000);
  const value = `{scenario: long, hosts: {client: {}}, applications: {client: [${waits}]}}`;
  const [first] = await halfopen.run({ source: { case: "yaml", value } });
  assert.ok(first?.kind.case === "runStarted" && first.kind.value.settings.length >= 9000);
});

test("a refused call shows what happened", async () => {
  const failing = halfopen.play(scenario, (session) => session.inject("{powerloss: server}"));
  await assert.rejects(failing, { message: /did you mean `power-loss`[^]*unfinished after/ });
});

/** Sends a query from the client to the server, and returns the client's socket. */
async function query(session: Session, keepalive: boolean): Promise<number> {
  const listener = await session.listen("server", 5432);
  const client = await session.connect("client", "server:5432", { keepalive });
  await session.untilReadable(listener);
  const server = await session.accept(listener);
  await session.send(client, "SELECT 1");
  await session.untilReadable(server);
  const { data } = await session.receive(server);
  assert.equal(new TextDecoder().decode(data), "SELECT 1");
  return client;
}
