// The server's operations by the names the screens use.
import { client, problem, take } from "./client";
import type * as m from "./model";

export * from "./client";
export type * from "./model";
export { PRIORITIES, VIEWS } from "./model";

const T = "/api/v1/tickets/{id}" as const;
const byId = (id: string) => ({ params: { path: { id } } });

export const session = {
  get: () => take<m.Session>(client.GET("/api/v1/session"), true),
  login: (email: string, password: string) =>
    take<m.Session>(client.POST("/api/v1/session", { body: { email, password } }), true),
  logout: () => take<void>(client.DELETE("/api/v1/session"), true),
  password: (old: string, next: string) =>
    take<void>(client.POST("/api/v1/session/password", { body: { old, new: next } }), true),
  list: () => take<m.Page<m.LoginSession>>(client.GET("/api/v1/sessions")),
  revoke: (id: string) => take<void>(client.DELETE("/api/v1/sessions/{id}", byId(id))),
};

export const tokens = {
  list: () => take<m.Page<m.ApiToken>>(client.GET("/api/v1/tokens")),
  add: (name: string) => take<m.ApiToken>(client.POST("/api/v1/tokens", { body: { name } })),
  revoke: (id: string) => take<void>(client.DELETE("/api/v1/tokens/{id}", byId(id))),
};

export interface TicketQuery {
  view?: m.View;
  contact?: string;
  q?: string;
  status?: string;
  cursor?: string;
  limit?: number;
}

export interface TicketChange {
  subject?: string;
  priority?: m.Priority;
  tags?: string[];
  fields?: Record<string, string>;
  snoozed_until?: string | null;
}

export const tickets = {
  list: (query: TicketQuery) => take<m.Page<m.Ticket>>(client.GET("/api/v1/tickets", { params: { query } })),
  counts: () => take<m.Counts>(client.GET("/api/v1/tickets/counts")),
  get: (id: string) => take<m.Ticket>(client.GET(T, byId(id))),
  change: (id: string, body: TicketChange) => take<m.Ticket>(client.PATCH(T, { ...byId(id), body })),
  messages: (id: string, query: { after?: number; before?: number; limit?: number }) =>
    take<m.Page<m.Message>>(client.GET(`${T}/messages`, { params: { path: { id }, query } })),
  reply: (id: string, body: NewReply) => take<m.Message>(client.POST(`${T}/replies`, { ...byId(id), body })),
  note: (id: string, body: NewNote) => take<m.Message>(client.POST(`${T}/notes`, { ...byId(id), body })),
  claim: (id: string) => take<m.Ticket>(client.POST(`${T}/claim`, { ...byId(id), body: {} })),
  transfer: (id: string, body: { to_team?: string; to_agent?: string; reason: string }) =>
    take<m.Ticket>(client.POST(`${T}/transfer`, { ...byId(id), body })),
  resolve: (id: string, reason?: string) =>
    take<m.Ticket>(client.POST(`${T}/resolve`, { ...byId(id), body: { reason } })),
  close: (id: string, reason?: string) => take<m.Ticket>(client.POST(`${T}/close`, { ...byId(id), body: { reason } })),
  reopen: (id: string, reason: string) => take<m.Ticket>(client.POST(`${T}/reopen`, { ...byId(id), body: { reason } })),
  merge: (id: string, into: string) => take<m.Ticket>(client.POST(`${T}/merge`, { ...byId(id), body: { into } })),
  split: (id: string, message_id: string) =>
    take<m.Ticket>(client.POST(`${T}/split`, { ...byId(id), body: { message_id } })),
  decisions: (id: string) => take<m.Page<m.Decision>>(client.GET(`${T}/decisions`, byId(id))),
  retry: (message: string) => take<m.Message>(client.POST("/api/v1/messages/{id}/retry", byId(message))),
};

export interface NewNote {
  text: string;
  attachments?: string[];
  idempotency_key: string;
}

export interface NewReply extends NewNote {
  if_seq?: number;
  force?: boolean;
}

export const contacts = {
  list: (q: string, cursor = "") =>
    take<m.Page<m.Contact>>(client.GET("/api/v1/contacts", { params: { query: { q, cursor } } })),
  get: (id: string) => take<m.Contact>(client.GET("/api/v1/contacts/{id}", byId(id))),
  change: (id: string, body: Partial<m.Contact>) =>
    take<m.Contact>(client.PATCH("/api/v1/contacts/{id}", { ...byId(id), body })),
  tickets: (id: string) => take<m.Page<m.Ticket>>(client.GET("/api/v1/contacts/{id}/tickets", byId(id))),
};

export const people = {
  agents: () => take<m.Page<m.Agent>>(client.GET("/api/v1/agents")),
  addAgent: (body: Partial<m.Agent> & { password?: string }) =>
    take<m.Agent & { password?: string }>(client.POST("/api/v1/agents", { body })),
  changeAgent: (id: string, body: Partial<m.Agent> & { password?: string }) =>
    take<m.Agent>(client.PATCH("/api/v1/agents/{id}", { ...byId(id), body })),
  teams: () => take<m.Page<m.Team>>(client.GET("/api/v1/teams")),
  addTeam: (name: string) => take<m.Team>(client.POST("/api/v1/teams", { body: { name } })),
  changeTeam: (id: string, name: string) =>
    take<m.Team>(client.PATCH("/api/v1/teams/{id}", { ...byId(id), body: { name } })),
  removeTeam: (id: string) => take<void>(client.DELETE("/api/v1/teams/{id}", byId(id))),
  presence: () => take<m.Page<m.Presence>>(client.GET("/api/v1/presence")),
};

export type RuleDraft = Omit<m.Rule, "id" | "version"> & { id?: string; version?: number };

export const rules = {
  list: () => take<m.Page<m.Rule>>(client.GET("/api/v1/rules")),
  add: (body: RuleDraft) => take<m.Rule>(client.POST("/api/v1/rules", { body })),
  change: (id: string, body: Partial<RuleDraft>) =>
    take<m.Rule>(client.PATCH("/api/v1/rules/{id}", { ...byId(id), body })),
  remove: (id: string) => take<void>(client.DELETE("/api/v1/rules/{id}", byId(id))),
  dryRun: (rule: RuleDraft) => take<m.DryRun>(client.POST("/api/v1/rules/dry-run", { body: { rule, limit: 200 } })),
};

export interface ChannelDraft {
  kind?: string;
  name?: string;
  enabled?: boolean;
  team_id?: string;
  settings?: Record<string, string>;
  version?: number;
}

export const channels = {
  kinds: () => take<m.Page<m.Kind>>(client.GET("/api/v1/kinds")),
  list: () => take<m.Page<m.Channel>>(client.GET("/api/v1/channels")),
  get: (id: string) => take<m.Channel>(client.GET("/api/v1/channels/{id}", byId(id))),
  add: (body: ChannelDraft) => take<m.Channel>(client.POST("/api/v1/channels", { body })),
  change: (id: string, body: ChannelDraft) =>
    take<m.Channel>(client.PATCH("/api/v1/channels/{id}", { ...byId(id), body })),
  test: (id: string) =>
    take<{ ok: boolean; detail: string }>(client.POST("/api/v1/channels/{id}/test", { ...byId(id), body: {} })),
};

export const intake = {
  list: (query: { outcome?: string; state?: string; channel?: string; cursor?: string }) =>
    take<m.Page<m.LedgerEntry>>(client.GET("/api/v1/intake", { params: { query } })),
  get: (id: string) => take<m.LedgerOriginal>(client.GET("/api/v1/intake/{id}", byId(id))),
  process: (id: string) => take<void>(client.POST("/api/v1/intake/{id}/process", { ...byId(id), body: {} })),
  counts: () => take<{ counts: Record<string, number> }>(client.GET("/api/v1/intake/counts")),
};

/** Uploads one file and reports progress from 0 to 1. XMLHttpRequest, since fetch tells no upload progress. */
export function upload(file: File, progress: (share: number) => void, signal?: AbortSignal): Promise<m.Attachment> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open("POST", "/api/v1/uploads");
    x.responseType = "json";
    x.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    x.onload = () => (x.status < 300 ? resolve(x.response) : reject(problem(x.status, x.response)));
    x.onerror = () => reject(problem(0, { detail: "offline" }));
    x.onabort = () => reject(problem(0, { detail: "aborted", code: "aborted" }));
    signal?.addEventListener("abort", () => x.abort());
    const form = new FormData();
    form.append("file", file);
    x.send(form);
  });
}
