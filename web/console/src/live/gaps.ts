// Fills a ticket's gap over REST: everything after what is known, then, when changes of older messages may be among what
// was missed, the latest page once more.
import type { Message, Page } from "@/api/model";
import { merge, type Timeline } from "./timeline";

export interface Source {
  messages(query: { after?: number; before?: number; limit?: number }): Promise<Page<Message>>;
}

const PAGE = 100;

/** Makes the timeline complete up to at least seq. Running it twice changes nothing. */
export async function fill(line: Timeline, source: Source, seq: number): Promise<void> {
  const from = line.seq;
  let after = from;
  // Without "after" the server answers with the end of the conversation: all of it while nothing is known.
  let found = 0;
  for (;;) {
    const page = await source.messages(after > 0 ? { after, limit: PAGE } : { limit: PAGE });
    merge(line, page.items);
    found += page.items.length;
    const last = page.items.at(-1);
    if (!last || page.items.length < PAGE) break;
    after = last.seq;
  }
  const missed = seq - from;
  if (missed > found && line.messages.length > 0) {
    const oldest = Math.max(1, (line.messages.at(-50) ?? line.messages[0])?.seq ?? 1) - 1;
    const page = await source.messages(oldest > 0 ? { after: oldest, limit: PAGE } : { limit: PAGE });
    merge(line, page.items);
  }
  line.seq = Math.max(line.seq, seq, line.messages.at(-1)?.seq ?? 0);
}
