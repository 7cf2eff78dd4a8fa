package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.protobuf.ByteString;
import dev.halfopen.v1.AcceptRequest;
import dev.halfopen.v1.AcceptResponse;
import dev.halfopen.v1.AdvanceRequest;
import dev.halfopen.v1.AdvanceResponse;
import dev.halfopen.v1.AdvanceStop;
import dev.halfopen.v1.ApplyFaultsRequest;
import dev.halfopen.v1.CreateSessionRequest;
import dev.halfopen.v1.DeleteSessionRequest;
import dev.halfopen.v1.FinishSessionRequest;
import dev.halfopen.v1.ListenRequest;
import dev.halfopen.v1.ListenResponse;
import dev.halfopen.v1.ReceiveRequest;
import dev.halfopen.v1.ReceiveResponse;
import dev.halfopen.v1.SendRequest;
import dev.halfopen.v1.SendResponse;
import dev.halfopen.v1.SessionCondition;
import dev.halfopen.v1.SessionServiceGrpc.SessionServiceBlockingStub;
import dev.halfopen.v1.SocketOptions;
import dev.halfopen.v1.StartConnectRequest;
import dev.halfopen.v1.StartConnectResponse;
import dev.halfopen.v1.Verdict;
import java.time.Duration;

/** A session: the test is the application on its hosts. */
final class Session implements AutoCloseable {
    private final SessionServiceBlockingStub calls;
    private final String id;

    Session(SessionServiceBlockingStub calls, String scenario) {
        this.calls = calls;
        this.id = calls.createSession(CreateSessionRequest.newBuilder().setYaml(scenario).build()).getSession();
    }

    String id() {
        return id;
    }

    int listen(String host, int port) {
        ListenResponse listener = calls.listen(
                ListenRequest.newBuilder().setSession(id).setHost(host).setPort(port).build());
        assertEquals("", listener.getError());
        return listener.getSocket();
    }

    int connect(String host, String to, SocketOptions options) {
        StartConnectResponse connection = calls.startConnect(StartConnectRequest.newBuilder()
                .setSession(id)
                .setHost(host)
                .setTo(to)
                .setOptions(options)
                .build());
        assertEquals("EINPROGRESS", connection.getError());
        return connection.getSocket();
    }

    int accept(int listener) {
        AcceptResponse connection =
                calls.accept(AcceptRequest.newBuilder().setSession(id).setSocket(listener).build());
        assertEquals("", connection.getError());
        return connection.getSocket();
    }

    void send(int socket, String text) {
        ByteString data = ByteString.copyFromUtf8(text);
        SendResponse response = calls.send(
                SendRequest.newBuilder().setSession(id).setSocket(socket).setData(data).build());
        assertEquals("", response.getError());
        assertEquals(data.size(), response.getSent());
    }

    ReceiveResponse receive(int socket) {
        return calls.receive(ReceiveRequest.newBuilder().setSession(id).setSocket(socket).build());
    }

    /** Adds faults, written as under `faults` in a scenario. */
    void inject(String faults) {
        calls.applyFaults(ApplyFaultsRequest.newBuilder().setSession(id).setYaml(faults).build());
    }

    /** Moves time until the socket is readable, and returns the time since the start. */
    Duration untilReadable(int socket) {
        AdvanceResponse response = calls.advance(AdvanceRequest.newBuilder()
                .setSession(id)
                .addConditions(SessionCondition.newBuilder().setReadable(socket))
                .build());
        if (response.getStop() != AdvanceStop.ADVANCE_STOP_CONDITION) {
            fail("socket " + socket + " will never be readable: " + response.getStop());
        }
        return Duration.ofSeconds(response.getTime().getSeconds(), response.getTime().getNanos());
    }

    /** Moves time until nothing can happen any more, and returns the verdict. */
    Verdict finish() {
        return calls.finishSession(FinishSessionRequest.newBuilder().setSession(id).build())
                .getFinished()
                .getVerdict();
    }

    @Override
    public void close() {
        calls.deleteSession(DeleteSessionRequest.newBuilder().setSession(id).build());
    }
}
