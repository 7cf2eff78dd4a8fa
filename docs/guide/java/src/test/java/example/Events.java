package example;

import dev.halfopen.v1.Event;
import dev.halfopen.v1.EventPart;
import dev.halfopen.v1.ExecuteRunResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The events of a run. One that is too large for a message is joined with its parts, which were sent ahead of it. */
final class Events {
    private Events() {}

    static List<Event> whole(Iterator<ExecuteRunResponse> responses) {
        List<Event> events = new ArrayList<>();
        EventPart.Builder ahead = EventPart.newBuilder();
        responses.forEachRemaining(response -> {
            ahead.mergeFrom(response.getPart());
            for (Event event : response.getEventsList()) {
                events.add(joined(ahead.build(), event));
                ahead.clear();
            }
        });
        return events;
    }

    private static Event joined(EventPart ahead, Event event) {
        Event.Builder whole = event.toBuilder();
        if (event.hasRunStarted()) {
            whole.getRunStartedBuilder().addAllSettings(ahead.getSettingsList());
        } else if (event.hasRunFinished()) {
            whole.getRunFinishedBuilder()
                    .addAllProblems(ahead.getProblemsList())
                    .addAllFinalStates(ahead.getFinalStatesList());
        } else {
            return event;
        }
        return whole.build();
    }
}
