// Every call to the server goes through here: one place for errors, sign-out and language.
import createClient from "openapi-fetch";
import type { paths } from "./schema.gen";

/** What went wrong, in the server's words (RFC 9457). status 0: no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** True when trying the same again later can help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

let onSignedOut: () => void = () => {};

/** Tells whom to call when the server says the session is over. */
export function whenSignedOut(f: () => void) {
  onSignedOut = f;
}

export const client = createClient<paths>({ baseUrl: location.origin, credentials: "same-origin" });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** Unwraps an answer or throws an ApiError. */
export async function take<T>(call: Promise<Answer<T>>, quiet401 = false): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (e) {
    throw new ApiError(0, "offline", e instanceof Error ? e.message : String(e));
  }
  if (answer.response.ok) return answer.data as T;
  throw problem(answer.response.status, answer.error, quiet401);
}

/** Makes an ApiError of a refused answer. */
export function problem(status: number, error: unknown, quiet401 = false): ApiError {
  if (status === 401 && !quiet401) onSignedOut();
  const p = (error && typeof error === "object" ? error : {}) as Record<string, unknown>;
  const details = Array.isArray(p.errors)
    ? p.errors.map((e) => [e?.field, e?.message].filter(Boolean).join(": ")).join("; ")
    : "";
  const detail = String(p.detail ?? p.title ?? `HTTP ${status}`);
  const text = details && !details.includes(detail) && !detail.includes(details) ? `${detail} (${details})` : detail;
  return new ApiError(status, String(p.code ?? ""), text, p);
}
