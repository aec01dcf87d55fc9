// What a letter's head says about its origin.
import type { Headers, Message } from "@/api/model";

/** The receiving server found that the sender's domain did not send this. */
export const spoofed = (h: Headers | null | undefined): boolean =>
  !!h &&
  ((h.badges ?? []).includes("spoofed") || (h.checks ?? []).some((c) => c.name === "dmarc" && c.result === "fail"));

/** Its writer took the message back. */
export const retracted = (m: Message): boolean => !!m.headers?.badges?.includes("retracted");

/** Whether the head is worth a line: who else got it, or what is special about it. */
export const hasHead = (h: Headers | null | undefined): boolean =>
  !!h &&
  !!(h.from || h.to?.length || h.cc?.length || h.bcc?.length || h.subject || h.checks?.length || h.badges?.length);
