package example;

import dev.halfopen.v1.Event;
import dev.halfopen.v1.ExecuteRunRequest;
import dev.halfopen.v1.RenderFormat;
import dev.halfopen.v1.RenderRequest;
import dev.halfopen.v1.RenderServiceGrpc;
import dev.halfopen.v1.RunServiceGrpc;
import dev.halfopen.v1.SessionServiceGrpc;
import dev.halfopen.v1.Verdict;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server that starts on a free port and ends with the tests. */
final class Halfopen implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("\"listening\":\"([^\"]+)\"");

    private final Process server;
    private final ManagedChannel channel;

    Halfopen() throws IOException {
        String program = System.getenv().getOrDefault("HALFOPEN_BINARY", "halfopen");
        server = new ProcessBuilder(program, "serve", "--listen", "127.0.0.1:0", "--exit-with-stdin")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = server.inputReader().readLine();
        Matcher listening = LISTENING.matcher(line == null ? "" : line);
        if (!listening.find()) {
            throw new IOException(program + " serve has not started: see its messages on standard error");
        }
        channel = Grpc.newChannelBuilder(listening.group(1), InsecureChannelCredentials.create()).build();
    }

    /** Executes a run that must pass, and returns its events. */
    List<Event> run(ExecuteRunRequest request) {
        List<Event> events =
                Events.whole(RunServiceGrpc.newBlockingStub(channel).executeRun(request));
        if (events.get(events.size() - 1).getRunFinished().getVerdict() != Verdict.VERDICT_PASSED) {
            String picture = picture(RenderRequest.newBuilder().setRun(request));
            throw new AssertionError("the run did not pass\n\n" + picture);
        }
        return events;
    }

    /** Plays a session that must pass. A failure has a picture of what happened. */
    void play(String scenario, Consumer<Session> test) {
        try (Session session = new Session(SessionServiceGrpc.newBlockingStub(channel), scenario)) {
            try {
                test.accept(session);
                if (session.finish() != Verdict.VERDICT_PASSED) {
                    throw new AssertionError("the session breaks an expectation");
                }
            } catch (AssertionError | RuntimeException failure) {
                String picture = picture(RenderRequest.newBuilder().setSession(session.id()));
                throw new AssertionError(failure.getMessage() + "\n\n" + picture, failure);
            }
        }
    }

    /** What happened. If it cannot be shown, it says so: that must not hide the failure. */
    private String picture(RenderRequest.Builder source) {
        StringBuilder text = new StringBuilder();
        try {
            RenderServiceGrpc.newBlockingStub(channel)
                    .render(source.setFormat(RenderFormat.RENDER_FORMAT_TEXT).build())
                    .forEachRemaining(part -> text.append(part.getText()));
        } catch (StatusRuntimeException error) {
            return "(what happened cannot be shown: " + error.getMessage() + ")";
        }
        return text.toString();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        try {
            server.getOutputStream().close();
            server.waitFor();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException error) {
            server.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
