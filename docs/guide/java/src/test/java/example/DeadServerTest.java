package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.halfopen.v1.Event;
import dev.halfopen.v1.ExecuteRunRequest;
import dev.halfopen.v1.SegmentSent;
import dev.halfopen.v1.SocketOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class DeadServerTest {
    private static final String SCENARIO =
            """
            scenario: dead-server
            hosts: {client: {}, server: {}}
            network: {latency: 20ms}
            expect:
              - client: {keepalive: dead, probes: 9}
              - client: {error: ETIMEDOUT}
            """;

    @AutoClose
    private static Halfopen halfopen;

    @BeforeAll
    static void start() throws IOException {
        halfopen = new Halfopen();
    }

    @Test
    void aLostFinIsSentAgain() {
        List<Boolean> fins = halfopen.run(ExecuteRunRequest.newBuilder().setName("dropped-fin").build()).stream()
                .filter(event -> event.getHost().equals("client"))
                .map(Event::getSegmentSent)
                .filter(segment -> segment.getFlags().getFin())
                .map(SegmentSent::getRetransmission)
                .toList();
        assertEquals(List.of(false, true), fins);
    }

    @Test
    void keepaliveFindsADeadServerAfterTwoHours() {
        halfopen.play(SCENARIO, session -> {
            int client = query(session, true);
            session.inject("{power-loss: server}");
            Duration found = session.untilReadable(client);
            assertTrue(found.compareTo(Duration.ofHours(2)) > 0, () -> "found out after " + found);
            assertEquals("ETIMEDOUT", session.receive(client).getError());
        });
    }

    @Test
    void aFailureShowsWhatHappened() throws IOException {
        AssertionError failure = assertThrows(AssertionError.class, () -> halfopen.play(SCENARIO, session -> {
            int client = query(session, false);
            session.inject("{power-loss: server}");
            session.untilReadable(client);
        }));
        assertEquals(Files.readString(Path.of("failure.txt")), failure.getMessage());
    }

    @Test
    void aFailureIsShownEvenIfThePictureIsNot() {
        AssertionError failure = assertThrows(AssertionError.class, () -> halfopen.play(SCENARIO, session -> {
            session.close();
            fail("this is what failed");
        }));
        String shown = "this is what failed\n\n(what happened cannot be shown: NOT_FOUND: ";
        assertTrue(failure.getMessage().startsWith(shown), failure::getMessage);
    }

    @Test
    void anEventThatComesInPartsIsWhole() {
        String waits = "wait: 1ms, ".repeat(9_000);
        String scenario = "{scenario: long, hosts: {client: {}}, applications: {client: [" + waits + "]}}";
        List<Event> events =
                halfopen.run(ExecuteRunRequest.newBuilder().setYaml(scenario).build());
        assertTrue(events.get(0).getRunStarted().getSettingsCount() >= 9_000);
    }

    @Test
    void aRefusedCallShowsWhatHappened() {
        AssertionError failure = assertThrows(
                AssertionError.class, () -> halfopen.play(SCENARIO, session -> session.inject("{powerloss: server}")));
        assertTrue(failure.getMessage().contains("did you mean `power-loss`?"), failure::getMessage);
        assertTrue(failure.getMessage().contains("unfinished after"), failure::getMessage);
    }

    /** Sends a query from the client to the server, and returns the client's socket. */
    private static int query(Session session, boolean keepalive) {
        int listener = session.listen("server", 5432);
        int client = session.connect(
                "client", "server:5432", SocketOptions.newBuilder().setKeepalive(keepalive).build());
        session.untilReadable(listener);
        int server = session.accept(listener);
        session.send(client, "SELECT 1");
        session.untilReadable(server);
        assertEquals("SELECT 1", session.receive(server).getData().toStringUtf8());
        return client;
    }
}
