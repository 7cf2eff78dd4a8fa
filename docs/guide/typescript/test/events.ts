import type { Event } from "../gen/halfopen/v1/event_pb";
import type { EventPart, ExecuteRunResponse } from "../gen/halfopen/v1/run_pb";

/** The events of a run. One that is too large for a message is joined with its parts, which were sent ahead of it. */
export async function whole(responses: AsyncIterable<ExecuteRunResponse>): Promise<Event[]> {
  const all: Event[] = [];
  let ahead: EventPart[] = [];
  for await (const { events, part } of responses) {
    if (part) {
      ahead.push(part);
    }
    for (const event of events) {
      join(ahead, event);
      all.push(event);
      ahead = [];
    }
  }
  return all;
}

function join(ahead: EventPart[], { kind }: Event): void {
  if (kind.case === "runStarted") {
    kind.value.settings = [...ahead.flatMap((part) => part.settings), ...kind.value.settings];
  } else if (kind.case === "runFinished") {
    kind.value.problems = [...ahead.flatMap((part) => part.problems), ...kind.value.problems];
    kind.value.finalStates = [...ahead.flatMap((part) => part.finalStates), ...kind.value.finalStates];
  }
}
